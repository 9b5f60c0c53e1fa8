// Drives a server that speaks Toxiproxy's HTTP API through Toxiproxy's own Go client, and prints what it was told, one
// JSON value a line: {"step": name, "got": value} or {"step": name, "error": text}.
//
// Usage: toxiproxy-client API UPSTREAM
package main

import (
	"encoding/json"
	"os"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
)

type line struct {
	Step  string `json:"step"`
	Got   any    `json:"got,omitempty"`
	Error string `json:"error,omitempty"`
}

var out = json.NewEncoder(os.Stdout)

func tell(step string, got any, err error) {
	row := line{Step: step, Got: got}
	if err != nil {
		row = line{Step: step, Error: err.Error()}
	}
	if out.Encode(row) != nil {
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) != 3 {
		os.Exit(2)
	}
	client := toxiproxy.NewClient(os.Args[1])
	upstream := os.Args[2]

	version, err := client.Version()
	tell("version", string(version), err)
	_, err = client.CreateProxy("", "", "")
	tell("blank name", nil, err)
	_, err = client.CreateProxy("one", "", "")
	tell("blank upstream", nil, err)
	one, err := client.CreateProxy("one", "localhost:0", upstream)
	tell("create", one, err)
	if err != nil {
		os.Exit(1)
	}
	_, err = client.CreateProxy("one", "localhost:0", upstream)
	tell("duplicate", nil, err)
	_, err = client.Proxy("two")
	tell("unknown proxy", nil, err)

	latency, err := one.AddToxic("", "latency", "", -1, toxiproxy.Attributes{"latency": 100, "jitter": 10})
	tell("add", latency, err)
	_, err = one.AddToxic("latency_downstream", "slow_close", "downstream", 1, nil)
	tell("conflict", nil, err)
	_, err = one.AddToxic("", "latency", "walrustream", 1, nil)
	tell("bad stream", nil, err)
	_, err = one.AddToxic("", "walrus", "upstream", 1, nil)
	tell("bad type", nil, err)
	limit, err := one.AddToxic("", "limit_data", "upstream", 0.2, toxiproxy.Attributes{"bytes": 5})
	tell("add upstream", limit, err)
	ours, err := one.AddToxic("third", "stall", "upstream", 1, toxiproxy.Attributes{
		"onMs": "1s", "selector": map[string]any{"connections": []int{2, 5}}, "when.marker": "hex:0d0a",
	})
	tell("add ours", ours, err)
	latency, err = one.UpdateToxic("latency_downstream", 0.5, toxiproxy.Attributes{"latency": 1000})
	tell("update", latency, err)
	latency, err = one.UpdateToxic("latency_downstream", -1, toxiproxy.Attributes{"jitter": 0})
	tell("update again", latency, err)
	toxics, err := one.Toxics()
	tell("toxics", toxics, err)
	tell("remove", nil, one.RemoveToxic("limit_data_upstream"))
	tell("remove again", nil, one.RemoveToxic("limit_data_upstream"))

	tell("disable", nil, one.Disable())
	proxies, err := client.Proxies()
	tell("disabled", proxies["one"], err)
	populated, err := client.Populate([]toxiproxy.Proxy{
		{Name: "one", Listen: one.Listen, Upstream: upstream, Enabled: true},
		{Name: "two", Listen: "127.0.0.1:0", Upstream: upstream, Enabled: true},
	})
	tell("populate", populated, err)
	_, err = client.Populate([]toxiproxy.Proxy{{Name: "three", Listen: "local373", Upstream: upstream, Enabled: true}})
	tell("bad listen", nil, err)
	toxic, err := client.AddToxic(&toxiproxy.ToxicOptions{
		ProxyName: "two", ToxicType: "bandwidth", Toxicity: 1, Attributes: toxiproxy.Attributes{"rate": 30},
	})
	tell("add by options", toxic, err)
	tell("reset", nil, client.ResetState())
	proxies, err = client.Proxies()
	tell("after reset", proxies, err)
	tell("enable", nil, one.Enable())
	tell("delete", nil, one.Delete())
	tell("delete again", nil, one.Delete())
}
