//! [`GuardedStream`]: the socket as lapin sees it; and tokio as a runtime whose sockets are such.

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use async_compat::Compat;
use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures_util::{AsyncRead, AsyncWrite, Stream};
use lapin::tcp::AsyncTcpStream;
use tokio::net::TcpStream;
use tokio::runtime::Handle;

use super::frames::Frames;
use super::in_order::InOrder;
use super::received::Received;

/// A connection, encrypted or not, of which lapin reads what it can read.
pub(crate) struct GuardedStream {
    /// Taken when it is dropped.
    inner: Option<AsyncTcpStream<Compat<TcpStream>>>,
    runtime: Handle,
    received: Arc<Received>,
    frames: Frames,
    /// What was read and is readable, and how much of it was taken.
    ready: Vec<u8>,
    taken: usize,
}

impl GuardedStream {
    /// `frame_max` is what the client asks for; 0 for what the broker offers.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    pub(crate) fn new(
        inner: AsyncTcpStream<Compat<TcpStream>>,
        frame_max: u32,
        received: Arc<Received>,
    ) -> Self {
        let (frames, runtime) = (Frames::new(frame_max), Handle::current());
        Self { inner: Some(inner), runtime, received, frames, ready: Vec::new(), taken: 0 }
    }

    fn inner(&mut self) -> Pin<&mut AsyncTcpStream<Compat<TcpStream>>> {
        Pin::new(self.inner.as_mut().expect("it is taken by drop alone"))
    }

    fn take(&mut self, buf: &mut [u8]) -> usize {
        let rest = &self.ready[self.taken..];
        let len = rest.len().min(buf.len());
        buf[..len].copy_from_slice(&rest[..len]);
        self.taken += len;
        if self.taken == self.ready.len() {
            self.ready.clear();
            self.taken = 0;
        }
        len
    }
}

impl Drop for GuardedStream {
    /// lapin drops it on its own thread. Outside a runtime, `Compat` would start a second one there, and panic where no file descriptor
    /// is left for it.
    fn drop(&mut self) {
        let _entered = self.runtime.enter();
        drop(self.inner.take());
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        loop {
            if !this.ready.is_empty() {
                return Poll::Ready(Ok(this.take(buf)));
            }
            let missing = this.frames.missing();
            let room = if missing == 0 { buf.len() } else { missing.min(buf.len()) };
            let len = ready!(this.inner().poll_read(cx, &mut buf[..room]))?;
            if len == 0 {
                return Poll::Ready(Ok(0));
            }
            this.received.note();
            let mut passed = 0;
            if missing > 0 {
                this.ready = this.frames.complete(&buf[..len]);
            } else {
                passed = this.frames.pass(&buf[..len]);
                this.ready = this.frames.complete(&[]);
            }
            if let Some(broker) = this.frames.broker.take() {
                this.received.note_broker(broker);
            }
            if let Some(frame_max) = this.frames.small {
                this.received.note_small_frames(frame_max);
                return Poll::Ready(Err(io::Error::other(
                    "the broker's frames are smaller than was asked for",
                )));
            }
            if passed > 0 {
                return Poll::Ready(Ok(passed));
            }
        }
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.inner().poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write_vectored(cx, bufs)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_close(cx)
    }
}

/// tokio, with sockets that are guarded.
#[derive(Debug, Clone)]
pub(crate) struct GuardedTokio(Tokio);

/// The runtime of the current task, for lapin.
///
/// # Panics
///
/// Outside of a tokio runtime.
pub(crate) fn runtime() -> Runtime<RuntimeParts<InOrder, GuardedTokio>> {
    Runtime::new(RuntimeParts::new(InOrder::current(), GuardedTokio(Tokio::current())))
}

impl Reactor for GuardedTokio {
    type TcpStream = GuardedStream;
    type Sleep = <Tokio as Reactor>::Sleep;

    /// lapin connects by the function that it is given, and registers nothing.
    fn register<H: Read + Write + Send + 'static>(
        &self,
        _: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<GuardedStream, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let connecting = self.0.tcp_connect_addr(address);
        async move { Ok(GuardedStream::new(AsyncTcpStream::Plain(connecting.await?), 0, Arc::default())) }
    }
}
