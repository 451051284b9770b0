//! A stream under a SASL security layer: each frame behind its length in four octets (RFC 4422 section 3.7).

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use proto::sasl::{MAX_FRAME, SaslError, SecurityLayer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use crate::connect::Io;

/// Octets of a frame's length.
const HEADER: usize = 4;
/// Room for reads; a frame's length alone allocates nothing.
const READ: usize = 16 * 1024;

/// What is read is checked and opened, what is written signed or sealed.
pub(super) struct Sealed {
    inner: Box<dyn Io>,
    layer: Box<dyn SecurityLayer>,
    /// Read, and no whole frame yet.
    raw: BytesMut,
    /// Opened, and not yet asked for.
    plain: Bytes,
    /// Sealed, and not yet written.
    out: BytesMut,
}

impl Sealed {
    /// `read` was read already, and is of the layer.
    pub(super) fn new(inner: Box<dyn Io>, layer: Box<dyn SecurityLayer>, read: BytesMut) -> Sealed {
        Sealed { inner, layer, raw: read, plain: Bytes::new(), out: BytesMut::new() }
    }

    /// Opens the next frame; `false` when it is not there yet.
    fn open(&mut self) -> io::Result<bool> {
        let Some(header) = self.raw.first_chunk::<HEADER>() else { return Ok(false) };
        let length = usize::try_from(u32::from_be_bytes(*header)).unwrap_or(usize::MAX);
        let limit = self.layer.max_sealed().min(MAX_FRAME);
        if length == 0 || length > limit {
            let words = format!("a frame of {length} octets, of at most {limit}, under the security layer");
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
        if self.raw.len() - HEADER < length {
            return Ok(false);
        }
        self.raw.advance(HEADER);
        let sealed = self.raw.split_to(length);
        self.plain = self.layer.unwrap(&sealed).map_err(broken)?;
        Ok(true)
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            match ready!(Pin::new(&mut self.inner).poll_write(cx, &self.out))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.out.advance(written),
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn broken(error: SaslError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl AsyncRead for Sealed {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.plain.is_empty() {
            if this.open()? {
                continue;
            }
            if this.raw.capacity() == this.raw.len() {
                this.raw.reserve(READ);
            }
            if ready!(pin!(this.inner.read_buf(&mut this.raw)).poll(cx))? == 0 {
                let whole = this.raw.is_empty();
                return Poll::Ready(if whole { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) });
            }
        }
        let count = this.plain.len().min(buffer.remaining());
        buffer.put_slice(&this.plain.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Sealed {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, plain: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        let count = plain.len().min(this.layer.max_plain().max(1));
        this.out.extend_from_slice(&[0; HEADER]);
        this.layer.wrap(&plain[..count], &mut this.out).map_err(broken)?;
        let length = u32::try_from(this.out.len() - HEADER).map_err(io::Error::other)?;
        this.out[..HEADER].copy_from_slice(&length.to_be_bytes());
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.inner).poll_shutdown(cx)
    }
}
