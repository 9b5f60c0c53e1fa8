//! The application that `relaylab conformance yamux` wants behind a library: the first line of a stream is a command
//! (harness/conformance/suites/yamux/application.ts). `serve PORT`: the library accepts; `call PORT`: it dials.
use tokio::io::{split, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::libraries::{Library, Opener};

const PIECE: usize = 65_536;

async fn send(writer: &mut (impl AsyncWriteExt + Unpin), count: usize) -> std::io::Result<()> {
    let mut at = 0;
    while at < count {
        let size = PIECE.min(count - at);
        let piece: Vec<u8> = (at..at + size).map(|i| (i % 251) as u8).collect();
        writer.write_all(&piece).await?;
        at += size;
    }
    writer.shutdown().await
}

async fn drain(mut reader: impl AsyncReadExt + Unpin) {
    let mut rest = [0u8; 1024];
    while matches!(reader.read(&mut rest).await, Ok(taken) if taken > 0) {}
}

pub async fn obey<O: Opener>(stream: O::Stream, mut opener: O) -> std::io::Result<()> {
    let (reader, mut writer) = split(stream);
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    reader.read_line(&mut line).await?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let count: usize = words.get(1).and_then(|text| text.parse().ok()).unwrap_or(0);
    match words.first().copied() {
        Some("echo") => {
            let mut buffer = vec![0u8; PIECE];
            loop {
                let taken = reader.read(&mut buffer).await?;
                if taken == 0 {
                    break;
                }
                writer.write_all(&buffer[..taken]).await?;
            }
            writer.shutdown().await
        }
        Some("sink") => {
            let mut total = 0usize;
            let mut buffer = vec![0u8; PIECE];
            loop {
                let taken = reader.read(&mut buffer).await?;
                if taken == 0 {
                    break;
                }
                total += taken;
            }
            writer.write_all(format!("{total}\n").as_bytes()).await?;
            writer.shutdown().await
        }
        Some("send") => {
            tokio::spawn(drain(reader));
            send(&mut writer, count).await
        }
        Some("open") => {
            for _ in 0..count {
                let Ok(mut opened) = opener.open().await else { break };
                opened.write_all(b"opened\n").await?;
                opened.shutdown().await?;
                tokio::spawn(drain(opened));
            }
            writer.write_all(b"ok\n").await?;
            writer.shutdown().await
        }
        Some("hold") => std::future::pending().await,
        _ => writer.shutdown().await,
    }
}

pub async fn serve(library: Library, port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("port in use");
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(library.run(socket, true));
    }
}

pub async fn call(library: Library, port: u16) {
    let socket = TcpStream::connect(("127.0.0.1", port)).await.expect("nobody listens");
    library.run(socket, false).await;
}
