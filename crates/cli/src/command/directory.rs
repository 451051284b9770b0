//! `directory`: the in-memory LDAP server, for tests and demonstrations.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use directory::Directory;

use super::Context;
use crate::arguments;
use crate::exit::Exit;
use crate::output;
use crate::telemetry;

/// Loads the files, prints the URL, serves until it is asked to stop.
pub(crate) async fn run(context: &Context, arguments: arguments::Directory) -> Exit {
    telemetry::start(context.voice, "warn", false);
    match serve(&arguments).await {
        Ok(()) => Exit::DONE,
        Err(error) => {
            output::complain(&error);
            if error.is::<directory::ListenError>() { Exit::FAULT } else { Exit::USAGE }
        }
    }
}

async fn serve(arguments: &arguments::Directory) -> anyhow::Result<()> {
    let mut builder = Directory::builder(Arc::new(ldapgate::system_time)).read_only(arguments.read_only);
    for file in &arguments.files {
        let named = || format!("cannot load {}", file.display());
        let ldif = std::fs::read(file).with_context(named)?;
        builder = builder.ldif(ldif).with_context(named)?;
    }
    if let (Some(cert), Some(key)) = (&arguments.cert, &arguments.key) {
        builder = builder.tls(tls::ServerSettings { cert: cert.clone(), key: key.clone() }.load()?);
    }
    let directory = builder.build();
    // Naming another address on the command line is what "unless told otherwise" means.
    let listen = async |address: SocketAddr| Directory::danger_listen_anywhere(address).await;
    let plain = directory.serve(listen(arguments.listen).await?).await;
    let secure = match arguments.ldaps {
        Some(address) => Some(directory.serve_ldaps(listen(address).await?).await),
        None => None,
    };
    output::line(&plain.url());
    if let Some(secure) = &secure {
        output::line(&secure.url());
    }
    super::serve::asked_to_stop_or_hung_up().await;
    plain.stop().await;
    if let Some(secure) = secure {
        secure.stop().await;
    }
    Ok(())
}
