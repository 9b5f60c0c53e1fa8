//! The libraries behind one face: tokio-yamux, and the yamux crate of rust-libp2p in two versions. Each hands the application the streams that
//! reach it, and an `Opener` for streams of our own.
use std::future::{poll_fn, Future};
use std::io::{Error, Result};
use std::task::Poll;

use futures::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt, TokioAsyncReadCompatExt};
use tokio_yamux::{session::Session, Control, StreamHandle};

use crate::application::obey;

pub trait Opener: Clone + Send + 'static {
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;
    fn open(&mut self) -> impl Future<Output = Result<Self::Stream>> + Send;
}

#[derive(Clone, Copy)]
pub enum Library {
    TokioYamux,
    Yamux13,
    Yamux14,
}

impl Library {
    /// Runs a session until it ends, with the library's own defaults.
    pub async fn run(self, socket: TcpStream, server: bool) {
        socket.set_nodelay(true).expect("nodelay");
        match self {
            Library::TokioYamux if server => run_tokio(Session::new_server(socket, tokio_yamux::config::Config::default())).await,
            Library::TokioYamux => run_tokio(Session::new_client(socket, tokio_yamux::config::Config::default())).await,
            Library::Yamux13 => v0_13::run(socket, server).await,
            Library::Yamux14 => v0_14::run(socket, server).await,
        }
    }
}

impl Opener for Control {
    type Stream = StreamHandle;
    async fn open(&mut self) -> Result<StreamHandle> {
        self.open_stream().await.map_err(Error::other)
    }
}

async fn run_tokio(mut session: Session<TcpStream>) {
    let control = session.control();
    while let Some(Ok(stream)) = session.next().await {
        tokio::spawn(obey(stream, control.clone()));
    }
}

/// Versions of one crate are crates of their own to the compiler, whose types have nothing in common.
macro_rules! of_libp2p {
    ($module:ident, $yamux:ident) => {
        mod $module {
            use super::*;
            use $yamux::{Config, Connection, Mode, Stream};

            /// Its connection is polled by one task, which therefore opens for all.
            #[derive(Clone)]
            struct Asker(mpsc::Sender<oneshot::Sender<Compat<Stream>>>);

            impl Opener for Asker {
                type Stream = Compat<Stream>;
                async fn open(&mut self) -> Result<Self::Stream> {
                    let (answer, opened) = oneshot::channel();
                    self.0.send(answer).await.map_err(Error::other)?;
                    opened.await.map_err(Error::other)
                }
            }

            pub async fn run(socket: TcpStream, server: bool) {
                let mode = if server { Mode::Server } else { Mode::Client };
                let mut connection = Connection::new(socket.compat(), Config::default(), mode);
                let (sender, mut asked) = mpsc::channel(1);
                let asker = Asker(sender);
                let mut asking = None;
                poll_fn(|cx| loop {
                    if asking.is_none() {
                        if let Poll::Ready(next) = asked.poll_recv(cx) {
                            asking = next;
                        }
                    }
                    if let Some(answer) = asking.take() {
                        match connection.poll_new_outbound(cx) {
                            Poll::Ready(Ok(stream)) => {
                                // who asked may be gone, and the stream with it
                                let _ = answer.send(stream.compat());
                                continue;
                            }
                            Poll::Ready(Err(_)) => return Poll::Ready(()),
                            Poll::Pending => asking = Some(answer),
                        }
                    }
                    match connection.poll_next_inbound(cx) {
                        Poll::Ready(Some(Ok(stream))) => {
                            tokio::spawn(obey(stream.compat(), asker.clone()));
                        }
                        Poll::Ready(_) => return Poll::Ready(()),
                        Poll::Pending => return Poll::Pending,
                    }
                })
                .await;
            }
        }
    };
}

of_libp2p!(v0_13, yamux);
of_libp2p!(v0_14, yamux_0_14);
