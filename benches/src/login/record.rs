//! Listens in on logins without TLS, and keeps the requests as they were sent.
#![allow(clippy::disallowed_methods, reason = "a bench is a peer of its own")]

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use bytes::{Bytes, BytesMut};
use proto::{Limits, Message, Request, ber};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use super::ours::Decision;
use super::worker::Place;
use crate::turns::Client as _;
use crate::world::READER;

/// One request of a login, as it was sent.
#[derive(Debug, Clone)]
pub(crate) enum Sent {
    /// On a look-up connection.
    LookUp(Bytes),
    /// A person's bind, on a proving connection.
    Prove(Bytes),
}

type Tape = Arc<Mutex<Vec<Sent>>>;

/// The requests of each person's login.
pub(crate) async fn record(place: &Place) -> anyhow::Result<Vec<Vec<Sent>>> {
    let tape = Tape::default();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("ldap://localhost:{}", listener.local_addr()?.port());
    let relay = tokio::spawn(relay(listener, place.plain, tape.clone()));
    let mut login = Decision::at(&url, place).await?;
    // What is asked once after a start is over when somebody has signed in a hundred times.
    for _ in 0..100 {
        login.once(0).await?;
    }
    take(&tape);
    let mut all = Vec::with_capacity(place.people.len());
    for n in 0..place.people.len() {
        login.once(n).await?;
        all.push(take(&tape));
    }
    relay.abort();
    Ok(all)
}

fn take(tape: &Tape) -> Vec<Sent> {
    std::mem::take(&mut tape.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Joins each connection with one to the server.
async fn relay(listener: TcpListener, port: u16, tape: Tape) -> io::Result<()> {
    loop {
        let (client, _) = listener.accept().await?;
        let server = TcpStream::connect(("127.0.0.1", port)).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let ((from_client, mut to_client), (mut from_server, to_server)) =
            (client.into_split(), server.into_split());
        tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
        let tape = tape.clone();
        tokio::spawn(async move {
            if let Err(error) = listen_in(from_client, to_server, tape).await {
                eprintln!("a connection that was listened to broke: {error:#}");
            }
        });
    }
}

async fn listen_in(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, tape: Tape) -> anyhow::Result<()> {
    let (mut buffer, limits) = (BytesMut::new(), Limits::server());
    while client.read_buf(&mut buffer).await? > 0 {
        while let Some(length) = ber::frame_length(&buffer, &limits)?.filter(|length| *length <= buffer.len())
        {
            let frame = buffer.split_to(length).freeze();
            // Kept before it is sent on: the login may be over when the answer arrives.
            keep(&tape, &frame, &limits).context("a request that cannot be read")?;
            server.write_all(&frame).await?;
        }
    }
    Ok(())
}

fn keep(tape: &Tape, frame: &Bytes, limits: &Limits) -> anyhow::Result<()> {
    let sent = match Message::<Request>::decode(frame, limits)?.operation {
        Request::Bind(bind) if bind.name == READER => return Ok(()),
        Request::Bind(_) => Sent::Prove(frame.clone()),
        Request::Search(_) => Sent::LookUp(frame.clone()),
        _ => return Ok(()),
    };
    tape.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
    Ok(())
}
