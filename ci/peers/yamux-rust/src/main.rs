//! One end of a tokio-yamux session, for `npm run bench relay`: `listen PORT` takes streams and discards what they bring,
//! `dial PORT` reads lines `STREAMS BYTES` from stdin and answers each with the seconds the transfer took. For the gate:
//! `serve PORT` and `call PORT` (application.rs), over the yamux crate of rust-libp2p with `0.13` or `0.14` behind the port.
mod application;
mod libraries;

use std::time::Instant;

use futures::StreamExt;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use libraries::Library;
use tokio_yamux::{config::Config, session::Session, Control, StreamHandle};

/// What one write gives to a stream.
const BLOCK: usize = 65_536;

async fn discard(mut stream: StreamHandle) {
    let mut buffer = vec![0u8; BLOCK];
    while let Ok(count) = stream.read(&mut buffer).await {
        if count == 0 {
            break;
        }
    }
    let _ = stream.shutdown().await;
}

async fn listen(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("port in use");
    println!("ready");
    while let Ok((socket, _)) = listener.accept().await {
        socket.set_nodelay(true).expect("nodelay");
        tokio::spawn(async move {
            let mut session = Session::new_server(socket, Config::default());
            while let Some(Ok(stream)) = session.next().await {
                tokio::spawn(discard(stream));
            }
        });
    }
}

/// Writes, ends, and waits until the other end has read all and ended too.
async fn push(mut control: Control, bytes: usize) {
    let mut stream = control.open_stream().await.expect("no stream");
    let block = vec![0u8; BLOCK];
    let mut left = bytes;
    while left > 0 {
        let count = left.min(BLOCK);
        stream.write_all(&block[..count]).await.expect("stream broke");
        left -= count;
    }
    stream.shutdown().await.expect("no end");
    let mut rest = [0u8; 16];
    while matches!(stream.read(&mut rest).await, Ok(count) if count > 0) {}
}

async fn dial(port: u16) {
    let socket = TcpStream::connect(("127.0.0.1", port)).await.expect("nobody listens");
    socket.set_nodelay(true).expect("nodelay");
    let mut session = Session::new_client(socket, Config::default());
    let control = session.control();
    tokio::spawn(async move { while let Some(Ok(_)) = session.next().await {} });
    println!("ready");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let numbers: Vec<usize> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let (streams, bytes) = (numbers[0], numbers[1]);
        let begun = Instant::now();
        let pushes: Vec<_> = (0..streams).map(|_| tokio::spawn(push(control.clone(), bytes))).collect();
        for push in pushes {
            push.await.expect("a stream failed");
        }
        println!("{}", begun.elapsed().as_secs_f64());
    }
}

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port = args.get(2).and_then(|text| text.parse().ok()).expect("usage: yamux-rust listen|dial PORT, yamux-rust serve|call PORT [0.13|0.14]");
    let library = match args.get(3).map(String::as_str) {
        Some("0.13") => Library::Yamux13,
        Some("0.14") => Library::Yamux14,
        _ => Library::TokioYamux,
    };
    match args[1].as_str() {
        "listen" => listen(port).await,
        "serve" => application::serve(library, port).await,
        "call" => application::call(library, port).await,
        _ => dial(port).await,
    }
}
