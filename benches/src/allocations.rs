//! Counts the allocations of one of the client's codecs. A program of its own: counting costs time, which would count
//! against those that allocate most.

#[path = "client/codec.rs"]
mod codec;

use std::path::Path;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, word, _url, folder, ..] = &arguments[..] else { anyhow::bail!("started by `client`") };
    let run = codec::prepare(word, Path::new(folder))?;
    let mut done = Ok(0);
    let counted = allocation_counter::measure(|| done = run());
    done?;
    println!("{}", counted.count_total);
    Ok(())
}
