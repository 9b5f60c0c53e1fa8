//! The postcard crate before the gate: `postcard-rust kit` answers JSON lines (harness/conformance/suites/postcard/README.md).
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::rc::Rc;

use postcard::accumulator::{CobsAccumulator, FeedResult};
use postcard::ser_flavors::crc as ser_crc;
use serde::de::{DeserializeSeed, Deserializer};
use serde::ser::{SerializeTuple, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

use crate::kit_schema::{object, Schema, Seed, Typed};

type Answer = Result<Value, Value>;

thread_local! {
    static SCHEMAS: RefCell<HashMap<String, Rc<Schema>>> = RefCell::new(HashMap::new());
    /// What `Dynamic` reads: the crate's functions take a type where the kit has a schema.
    static CURRENT: RefCell<Option<Rc<Schema>>> = const { RefCell::new(None) };
    /// Whether a value was too long to be kept.
    pub static HUGE: Cell<bool> = const { Cell::new(false) };
}

struct Dynamic(Value);

impl<'de> Deserialize<'de> for Dynamic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let schema = CURRENT.with(|current| current.borrow().clone()).expect("a schema");
        Seed { schema: &schema, at: schema.root }.deserialize(deserializer).map(Dynamic)
    }
}

/// Bytes as they are, without a length.
struct Raw(Vec<u8>);

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for byte in &self.0 {
            tuple.serialize_element(byte)?;
        }
        tuple.end()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or("");
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex")).collect()
}

fn refused(error: postcard::Error) -> Value {
    json!({ "error": error.to_string(), "kind": format!("{error:?}") })
}

fn use_schema(request: &Value) {
    HUGE.set(false);
    let text = request["schema"].to_string();
    let schema = SCHEMAS.with(|known| {
        known.borrow_mut().entry(text).or_insert_with(|| Rc::new(Schema::of(&request["schema"]))).clone()
    });
    CURRENT.with(|current| *current.borrow_mut() = Some(schema));
}

fn value_of(Dynamic(value): Dynamic) -> Value {
    if HUGE.get() { json!({}) } else { object([("value", value)]) }
}

fn decode(input: &[u8]) -> Answer {
    let (value, rest) = postcard::take_from_bytes::<Dynamic>(input).map_err(refused)?;
    let mut answer = value_of(value);
    answer["consumed"] = json!(input.len() - rest.len());
    Ok(answer)
}

fn encode(request: &Value) -> Answer {
    let schema = CURRENT.with(|current| current.borrow().clone()).expect("a schema");
    let typed = Typed { schema: &schema, at: schema.root, json: &request["value"] };
    Ok(json!({ "hex": hex(&postcard::to_stdvec(&typed).map_err(refused)?) }))
}

fn cobs_decode(request: &Value) -> Answer {
    let mut frame = bytes(&request["hex"]);
    if request.get("schema").is_none() {
        let length = cobs::decode_in_place(&mut frame).map_err(|error| json!({ "error": format!("{error:?}") }))?;
        return Ok(json!({ "hex": hex(&frame[..length]) }));
    }
    use_schema(request);
    postcard::from_bytes_cobs::<Dynamic>(&mut frame).map(value_of).map_err(refused)
}

fn number(value: &Value) -> u128 {
    let text = value.as_str().unwrap_or("0");
    u128::from_str_radix(text.trim_start_matches("0x"), 16).expect("a hexadecimal number")
}

macro_rules! with_crc {
    ($int:ty, $to:ident, $take:ident, $request:expr) => {{
        let given = &$request["algorithm"];
        let algorithm: &'static crc::Algorithm<$int> = Box::leak(Box::new(crc::Algorithm {
            width: given["bits"].as_u64().expect("bits") as u8,
            poly: number(&given["poly"]) as $int,
            init: number(&given["init"]) as $int,
            refin: given["refin"] == true,
            refout: given["refout"] == true,
            xorout: number(&given["xorout"]) as $int,
            check: 0,
            residue: 0,
        }));
        let crc = crc::Crc::<$int>::new(algorithm);
        if $request["op"] == "crc-encode" {
            let framed = ser_crc::$to(&Raw(bytes(&$request["body"])), crc.digest()).map_err(refused)?;
            Ok(json!({ "hex": hex(&framed) }))
        } else {
            use_schema($request);
            let framed = bytes(&$request["hex"]);
            let read = postcard::de_flavors::crc::$take::<Dynamic>(&framed, crc.digest());
            read.map(|(value, _)| value_of(value)).map_err(refused)
        }
    }};
}

fn checksum(request: &Value) -> Answer {
    match request["algorithm"]["bits"].as_u64().unwrap_or(0) {
        0..=8 => with_crc!(u8, to_allocvec_u8, take_from_bytes_u8, request),
        9..=16 => with_crc!(u16, to_allocvec_u16, take_from_bytes_u16, request),
        17..=32 => with_crc!(u32, to_allocvec_u32, take_from_bytes_u32, request),
        33..=64 => with_crc!(u64, to_allocvec_u64, take_from_bytes_u64, request),
        _ => with_crc!(u128, to_allocvec_u128, take_from_bytes_u128, request),
    }
}

fn feed<const N: usize>(chunks: &[Value]) -> Vec<Value> {
    let mut accumulator = CobsAccumulator::<N>::new();
    let mut events = Vec::new();
    for chunk in chunks.iter().map(bytes) {
        let mut window = &chunk[..];
        while !window.is_empty() {
            window = match accumulator.feed::<Dynamic>(window) {
                FeedResult::Consumed => break,
                FeedResult::OverFull(rest) => {
                    events.push(json!({ "result": "overfull" }));
                    rest
                }
                FeedResult::DeserError(rest) => {
                    events.push(json!({ "result": "deser_error" }));
                    rest
                }
                FeedResult::Success { data, remaining } => {
                    events.push(json!({ "result": "success", "value": data.0 }));
                    remaining
                }
            };
        }
    }
    events
}

fn accumulate(request: &Value) -> Answer {
    use_schema(request);
    let chunks = request["chunks"].as_array().expect("chunks");
    let events = match request["capacity"].as_u64().unwrap_or(0) {
        3 => feed::<3>(chunks),
        4 => feed::<4>(chunks),
        7 => feed::<7>(chunks),
        8 => feed::<8>(chunks),
        16 => feed::<16>(chunks),
        32 => feed::<32>(chunks),
        64 => feed::<64>(chunks),
        other => return Err(json!({ "skip": format!("no accumulator of {other} was built") })),
    };
    Ok(json!({ "events": events }))
}

fn answer(request: &Value) -> Answer {
    match request["op"].as_str().unwrap_or("") {
        "hello" => Ok(json!({ "name": "postcard (Rust)", "version": "1.1.3", "lacks": [] })),
        "encode" => {
            use_schema(request);
            encode(request)
        }
        "decode" => {
            use_schema(request);
            decode(&bytes(&request["hex"]))
        }
        "cobs-encode" => {
            let frame = postcard::to_allocvec_cobs(&Raw(bytes(&request["body"]))).map_err(refused)?;
            Ok(json!({ "hex": hex(&frame) }))
        }
        "cobs-decode" => cobs_decode(request),
        "crc-encode" | "crc-decode" => checksum(request),
        "accumulate" => accumulate(request),
        other => Err(json!({ "skip": format!("no {other}") })),
    }
}

fn serve() {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        let mut reader = serde_json::Deserializer::from_str(&line);
        reader.disable_recursion_limit();
        let request = Value::deserialize(&mut reader).expect("a request");
        let mut reply = answer(&request).unwrap_or_else(|refusal| refusal);
        reply["id"] = request["id"].clone();
        writeln!(output, "{reply}").and_then(|()| output.flush()).expect("stdout");
    }
}

/// On a stack that is large enough for values as deep as the crate itself can read.
pub fn run() {
    let thread = std::thread::Builder::new().stack_size(512 << 20).spawn(serve).expect("a thread");
    thread.join().expect("requests");
}
