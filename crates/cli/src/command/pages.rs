//! `completions` and `man`: what is made from the definition of the commands.

use clap::CommandFactory as _;

use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::output;

/// Prints a completion script.
pub(crate) fn completions(shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "ldapgate", &mut script);
    output::line(&String::from_utf8_lossy(&script));
    Exit::DONE
}

/// Prints one manual page with every command below it.
pub(crate) fn manual() -> Exit {
    let mut command = Arguments::command();
    command.build();
    let mut page = Vec::new();
    let written = clap_mangen::Man::new(command.clone()).render(&mut page).and_then(|()| {
        command
            .get_subcommands()
            .filter(|sub| sub.get_name() != "help")
            .try_for_each(|sub| section(sub, &mut page))
    });
    if let Err(error) = written {
        output::complain(&anyhow::Error::from(error).context("cannot write the manual page"));
        return Exit::FAULT;
    }
    output::line(&String::from_utf8_lossy(&page));
    Exit::DONE
}

/// One command's usage and options, as a section of the page.
fn section(command: &clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    use std::io::Write as _;
    writeln!(page, ".SH \"LDAPGATE {}\"", command.get_name().to_uppercase())?;
    let man = clap_mangen::Man::new(command.clone());
    man.render_description_section(page)?;
    man.render_synopsis_section(page)?;
    if command.get_arguments().next().is_some() {
        man.render_options_section(page)?;
    }
    Ok(())
}
