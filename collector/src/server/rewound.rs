//! A stream of which the beginning was read already, and is read again.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream behind what was read of it.
pub(super) struct Rewound<S, const N: usize> {
    stream: S,
    start: [u8; N],
    /// What of `start` is still to be read.
    left: std::ops::Range<usize>,
}

impl<S, const N: usize> Rewound<S, N> {
    /// `stream` behind the first `length` bytes of `start`.
    pub(super) fn new(stream: S, start: [u8; N], length: usize) -> Self {
        Self { stream, start, left: 0..length.min(N) }
    }
}

impl<S: AsyncRead + Unpin, const N: usize> AsyncRead for Rewound<S, N> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.left.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let from = self.left.start;
        let taken = self.left.len().min(buffer.remaining());
        buffer.put_slice(&self.start[from..from + taken]);
        self.left.start += taken;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin, const N: usize> AsyncWrite for Rewound<S, N> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
