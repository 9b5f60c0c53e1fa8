//! The postcard crate for `npm run bench postcard`: `postcard-rust SET FILE` reads the messages of a file (each behind its length,
//! u32 little-endian), then answers lines `CASE COUNT` on stdin with the CPU nanoseconds that COUNT repetitions took.
//! And for the gate: `postcard-rust kit` (kit.rs).
mod kit;
mod kit_schema;

use std::hint::black_box;
use std::io::{BufRead, Write};

use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};

/// The types that Alumet's relay reads and writes: what repeats is borrowed, ids are owned.
#[derive(Serialize, Deserialize)]
struct Message<'a> {
    sender: String,
    #[serde(borrow)]
    content: Content<'a>,
}

#[derive(Serialize, Deserialize)]
enum Content<'a> {
    Greet(String, String, u32),
    GreetResponse(bool, String, String, u32),
    RegisterMetrics(Vec<u8>),
    SendMeasurements(#[serde(borrow)] Measurements<'a>),
}

#[derive(Serialize, Deserialize)]
struct Measurements<'a> {
    #[serde(borrow)]
    buf: Vec<Point<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Point<'a> {
    metric_id: u64,
    timestamp: Timestamp,
    #[serde(borrow)]
    value: TypedValue<'a>,
    resource_kind: &'a str,
    resource_id: String,
    consumer_kind: &'a str,
    consumer_id: String,
    attributes: Vec<(&'a str, TypedValue<'a>)>,
}

#[derive(Serialize, Deserialize)]
struct Timestamp {
    secs: u64,
    nanos: u32,
}

#[derive(Serialize, Deserialize)]
enum TypedValue<'a> {
    F64(f64),
    U64(u64),
    Bool(bool),
    Str(&'a str),
    ListU64(Vec<u64>),
}

/// Eight fields of mixed kinds.
#[derive(Serialize, Deserialize)]
struct Small {
    a: u8,
    b: u16,
    c: u32,
    d: i32,
    e: f32,
    f: f64,
    g: u64,
    h: i16,
}

/// Writes behind what a vector holds: one that is reused costs no allocation.
struct Reused<'a>(&'a mut Vec<u8>);

impl Flavor for Reused<'_> {
    type Output = usize;

    #[inline(always)]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline(always)]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<usize> {
        Ok(self.0.len())
    }
}

fn cpu_nanos() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call only writes the struct it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn read_messages(file: &str) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(file).expect("the file of messages");
    let mut messages = Vec::new();
    let mut rest = &bytes[..];
    while rest.len() >= 4 {
        let length = u32::from_le_bytes(rest[..4].try_into().unwrap()) as usize;
        messages.push(rest[4..4 + length].to_vec());
        rest = &rest[4 + length..];
    }
    messages
}

fn write<T: Serialize>(value: &T, into: &mut Vec<u8>) -> usize {
    into.clear();
    postcard::serialize_with_flavor(value, Reused(into)).expect("a value")
}

/// Repeats a case over the decoded messages in rotation. One repetition is one message.
fn run_values<'a, T: Serialize + Deserialize<'a>>(
    case: &str,
    count: usize,
    bytes: &'a [Vec<u8>],
    values: &[T],
    buffer: &mut Vec<u8>,
) {
    match case {
        "encode" => {
            for i in 0..count {
                black_box(write(&values[i % values.len()], buffer));
            }
        }
        "encode-new" => {
            for i in 0..count {
                black_box(postcard::to_stdvec(&values[i % values.len()]).expect("a value"));
            }
        }
        "decode" => {
            for i in 0..count {
                black_box(postcard::from_bytes::<T>(black_box(&bytes[i % bytes.len()])).expect("a message"));
            }
        }
        other => panic!("unknown case {other}"),
    }
}

/// Repeats a case of one body: `encode-I` or `decode-I`.
fn run_cobs(case: &str, count: usize, bodies: &[Vec<u8>], frames: &[Vec<u8>], buffer: &mut Vec<u8>) {
    let (what, index) = case.split_once('-').expect("encode-I or decode-I");
    let index: usize = index.parse().expect("an index");
    for _ in 0..count {
        if what == "encode" {
            black_box(cobs::encode(black_box(&bodies[index]), buffer));
        } else {
            black_box(cobs::decode(black_box(&frames[index]), buffer).expect("a frame"));
        }
    }
}

/// Says whether what the crate writes for what it read is what was given, then answers lines until stdin ends.
fn serve(same: bool, mut run: impl FnMut(&str, usize)) {
    println!("{}", if same { "ready" } else { "other bytes" });
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        let (case, count) = line.split_once(' ').expect("CASE COUNT");
        let began = cpu_nanos();
        run(case, count.parse().expect("a count"));
        println!("{}", cpu_nanos() - began);
        std::io::stdout().flush().expect("stdout");
    }
}

fn serve_values<'a, T: Serialize + Deserialize<'a>>(bytes: &'a [Vec<u8>]) {
    let values: Vec<T> = bytes.iter().map(|one| postcard::from_bytes(one).expect("a message")).collect();
    let mut buffer = Vec::with_capacity(1 << 20);
    let same = values.iter().zip(bytes).all(|(value, one)| {
        write(value, &mut buffer);
        &buffer == one
    });
    serve(same, |case, count| run_values(case, count, bytes, &values, &mut buffer));
}

fn serve_cobs(bodies: &[Vec<u8>]) {
    let frames: Vec<Vec<u8>> = bodies.iter().map(|body| cobs::encode_vec(body)).collect();
    let same = frames.iter().zip(bodies).all(|(frame, body)| &cobs::decode_vec(frame).expect("a frame") == body);
    let longest = bodies.iter().map(Vec::len).max().unwrap_or(0);
    let mut buffer = vec![0; cobs::max_encoding_length(longest) + 1];
    serve(same, |case, count| run_cobs(case, count, bodies, &frames, &mut buffer));
}

fn main() {
    let mut args = std::env::args().skip(1);
    let set = args.next().expect("kit, or SET FILE");
    if set == "kit" {
        return kit::run();
    }
    let file = args.next().expect("FILE");
    let messages = read_messages(&file);
    match set.as_str() {
        "measurements" => serve_values::<Message>(&messages),
        "small" => serve_values::<Small>(&messages),
        "cobs" => serve_cobs(&messages),
        other => panic!("unknown set {other}"),
    }
}
