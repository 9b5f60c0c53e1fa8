// One end of a hashicorp/yamux session, for `npm run bench relay`: `listen PORT` takes streams and discards what they bring,
// `dial PORT` reads lines `STREAMS BYTES` from stdin and answers each with the seconds the transfer took. For the gate: `serve PORT`
// and `call PORT` (application.go), with `-lib libp2p` over libp2p/go-yamux.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

// What one write gives to a stream.
const block = 65536

// io.Discard's own ReadFrom reads 8 KiB at a time.
type plainReader struct{ io.Reader }
type plainWriter struct{ io.Writer }

func discard(stream net.Conn) {
	io.CopyBuffer(plainWriter{io.Discard}, plainReader{stream}, make([]byte, block))
	stream.Close()
}

func listen(address string) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready")
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		session, err := yamux.Server(conn, nil)
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			for {
				stream, err := session.Accept()
				if err != nil {
					return
				}
				go discard(stream)
			}
		}()
	}
}

// Writes, ends, and waits until the other end has read all and ended too.
func push(session *yamux.Session, bytes int) {
	stream, err := session.Open()
	if err != nil {
		log.Fatal(err)
	}
	payload := make([]byte, block)
	for left := bytes; left > 0; left -= block {
		if _, err := stream.Write(payload[:min(left, block)]); err != nil {
			log.Fatal(err)
		}
	}
	stream.Close()
	if _, err := io.Copy(io.Discard, stream); err != nil {
		log.Fatal(err)
	}
}

func dial(address string) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	session, err := yamux.Client(conn, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var streams, bytes int
		fmt.Sscan(lines.Text(), &streams, &bytes)
		begun := time.Now()
		var all sync.WaitGroup
		for range streams {
			all.Add(1)
			go func() { defer all.Done(); push(session, bytes) }()
		}
		all.Wait()
		fmt.Println(time.Since(begun).Seconds())
	}
}

func main() {
	library := flag.String("lib", "hashicorp", "for serve and call: hashicorp or libp2p")
	flag.Parse()
	if flag.NArg() != 2 {
		log.Fatal("usage: yamux-go listen|dial PORT, yamux-go [-lib libp2p] serve|call PORT")
	}
	address := "127.0.0.1:" + flag.Arg(1)
	switch flag.Arg(0) {
	case "listen":
		listen(address)
	case "serve":
		serveAt(*library, address)
	case "call":
		call(*library, address)
	default:
		dial(address)
	}
}
