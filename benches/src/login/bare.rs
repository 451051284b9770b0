//! The yardstick: recorded requests, sent again over warm TLS connections, and nothing but waiting for their answers.
//!
//! It is no ceiling. Each login under way has two connections to itself, with one request at a time on each; ours share
//! a few, on which look-ups of several logins travel together.
#![allow(clippy::disallowed_methods, reason = "a bench is a peer of its own")]

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use bytes::{Buf as _, BytesMut};
use proto::message::{Authentication, BindRequest};
use proto::{Controls, Limits, Message, MessageId, Password, Request, ber};
use tls::{ClientTls, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::record::{Sent, record};
use super::worker::Place;
use crate::turns::Client;
use crate::world::{PASSWORD, READER};

/// Two connections of one login at a time: look-ups go over one, people's binds over the other.
pub(crate) struct Lane {
    look_up: Wire,
    prove: Wire,
    logins: Arc<[Vec<Sent>]>,
}

/// One connection.
struct Wire {
    stream: Stream<TcpStream>,
    buffer: BytesMut,
    limits: Limits,
}

/// So many pairs of connections.
pub(crate) async fn lanes(place: &Place, count: usize) -> anyhow::Result<Vec<Lane>> {
    let logins: Arc<[Vec<Sent>]> = record(place).await?.into();
    let tls = ClientTls::from_pem(&std::fs::read(place.folder.join("ca.crt"))?)?;
    let port = place.url.rsplit(':').next().context("a URL with a port")?.parse()?;
    let reader = Request::Bind(BindRequest {
        version: 3,
        name: READER.to_owned(),
        authentication: Authentication::Simple(Password::new(PASSWORD)?),
    });
    let reader = Message { id: MessageId(1), operation: reader, controls: Controls::default() }.encode();
    let mut lanes = Vec::with_capacity(count);
    for _ in 0..count {
        let mut look_up = Wire::open(&tls, port).await?;
        look_up.ask(&reader).await?;
        lanes.push(Lane { look_up, prove: Wire::open(&tls, port).await?, logins: logins.clone() });
    }
    Ok(lanes)
}

impl Client for Lane {
    async fn once(&mut self, n: usize) -> anyhow::Result<()> {
        for sent in &self.logins[n] {
            match sent {
                Sent::LookUp(frame) => self.look_up.ask(frame).await?,
                Sent::Prove(frame) => self.prove.ask(frame).await?,
            }
        }
        Ok(())
    }
}

impl Wire {
    async fn open(tls: &ClientTls, port: u16) -> anyhow::Result<Wire> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let stream = tls.connect("localhost", stream).await?;
        Ok(Wire { stream, buffer: BytesMut::with_capacity(16 * 1024), limits: Limits::client() })
    }

    /// Sends a request and reads its answers up to the last one, which must say success.
    async fn ask(&mut self, frame: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(frame).await?;
        self.stream.flush().await?;
        loop {
            while let Some(length) =
                ber::frame_length(&self.buffer, &self.limits)?.filter(|l| *l <= self.buffer.len())
            {
                let last = last_code(&self.buffer[..length]);
                self.buffer.advance(length);
                if let Some(code) = last {
                    ensure!(code == 0, "the server answers {code}");
                    return Ok(());
                }
            }
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server hung up");
        }
    }
}

/// The result code, when this answer is the last one: a bind's or a search's end (RFC 4511 sections 4.2.2 and 4.5.2).
fn last_code(frame: &[u8]) -> Option<u8> {
    let id = skip_header(frame, 0)?;
    let operation = skip_header(frame, id)? + usize::from(*frame.get(id + 1)?);
    if !matches!(frame.get(operation)?, 0x61 | 0x65) {
        return None;
    }
    frame.get(skip_header(frame, operation)? + 2).copied()
}

/// Where the content of the element at `at` starts.
fn skip_header(frame: &[u8], at: usize) -> Option<usize> {
    let length = *frame.get(at + 1)?;
    Some(at + 2 + if length > 0x80 { usize::from(length & 0x7f) } else { 0 })
}
