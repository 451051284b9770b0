//! The stream after a handshake.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{Bindings, Certificate, explain};

/// Who is at the other end of an encrypted stream, as far as it showed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// "TLSv1.2" or "TLSv1.3".
    pub protocol: &'static str,
    /// The certificates it presented, its own first; those that cannot be read are left out.
    pub certificates: Vec<Certificate>,
}

/// An encrypted stream, either side's.
#[derive(Debug)]
pub struct Stream<S> {
    inner: tokio_rustls::TlsStream<S>,
}

impl<S> Stream<S> {
    pub(crate) fn new(inner: impl Into<tokio_rustls::TlsStream<S>>) -> Self {
        Stream { inner: inner.into() }
    }

    /// The peer's certificates in DER, leaf first; `None` when it presented none.
    #[must_use]
    pub fn peer_certificates_der(&self) -> Option<Vec<&[u8]>> {
        let (_, connection) = self.inner.get_ref();
        Some(connection.peer_certificates()?.iter().map(|c| c.as_ref()).collect())
    }

    /// What the peer's certificate says.
    #[must_use]
    pub fn peer_certificate(&self) -> Option<Certificate> {
        Certificate::from_der(self.peer_certificates_der()?.first()?)
    }

    /// What the peer showed, and by which protocol.
    #[must_use]
    pub fn peer(&self) -> Peer {
        let shown = self.peer_certificates_der().unwrap_or_default();
        let certificates = shown.into_iter().filter_map(Certificate::from_der).collect();
        Peer { protocol: self.protocol(), certificates }
    }

    /// What authentication above can bind itself to.
    #[must_use]
    pub fn bindings(&self) -> Bindings {
        match &self.inner {
            tokio_rustls::TlsStream::Client(stream) => Bindings::of_client(stream.get_ref().1),
            tokio_rustls::TlsStream::Server(stream) => Bindings::of_server(stream.get_ref().1),
        }
    }

    /// The protocol agreed on by ALPN, such as `h2`.
    #[must_use]
    pub fn application_protocol(&self) -> Option<&[u8]> {
        self.inner.get_ref().1.alpn_protocol()
    }

    /// "TLSv1.2" or "TLSv1.3".
    #[must_use]
    pub fn protocol(&self) -> &'static str {
        match self.inner.get_ref().1.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "TLS",
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf).map_err(explain::established)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
