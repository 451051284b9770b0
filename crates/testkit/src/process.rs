//! Child processes that end with the test, even when the test is killed.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server process. A shell keeps watch on its standard input: when the test process goes away, however it goes, the
/// pipe closes and the shell ends the server.
#[derive(Debug)]
pub struct Server {
    shell: Child,
}

impl Server {
    /// Starts `program` with `arguments`, its output appended to `log`.
    ///
    /// # Panics
    /// When the program is not on this machine; the message names the Debian `package` that has it.
    #[must_use]
    pub fn start(program: &str, package: &str, arguments: &[String], log: &Path) -> Self {
        Self::start_at(&find(program, package), arguments, &[], log)
    }

    /// Starts the program at a path, with variables in an otherwise nearly empty environment.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start_at(program: &str, arguments: &[String], environment: &[(&str, &str)], log: &Path) -> Self {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap_or_else(|error| panic!("cannot open the log {}: {error}", log.display()));
        let errors = file.try_clone().expect("a file handle can be cloned");
        // A huge open-files limit (as in containers) makes slapd allocate memory for every possible descriptor.
        let script = r#"ulimit -n 4096 2>/dev/null; exec 3<&0; "$@" 3<&- </dev/null & child=$!; trap 'kill "$child" 2>/dev/null; wait "$child"' EXIT; cat <&3 >/dev/null"#;
        let shell = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(program)
            .args(arguments)
            .env_clear()
            .envs(environment.iter().copied())
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", log.parent().unwrap_or(Path::new("/tmp")))
            .stdin(Stdio::piped())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
        Self { shell }
    }

    /// Ends the server and waits until it is gone.
    pub fn stop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }

    /// Whether it still runs.
    pub fn alive(&mut self) -> bool {
        matches!(self.shell.try_wait(), Ok(None))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The path of a program, looked for where Debian puts daemons too.
///
/// # Panics
/// When it is missing.
#[must_use]
pub fn find(program: &str, package: &str) -> String {
    ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/sbin", "/sbin", "/bin"]
        .iter()
        .map(|folder| format!("{folder}/{program}"))
        .find(|path| Path::new(path).exists())
        .unwrap_or_else(|| panic!("{program} is not on this machine: install Debian's package {package}"))
}

/// Runs a command to its end with `input` on standard input.
///
/// # Panics
/// When the command is missing or cannot be run.
#[must_use]
pub fn run(program: &str, package: &str, arguments: &[&str], input: &str) -> Finished {
    run_at(&find(program, package), arguments, &[], input)
}

/// The same for a program at a path, with variables added to the environment.
///
/// # Panics
/// When it cannot be run.
#[must_use]
pub fn run_at(program: &str, arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Finished {
    let mut child = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .env_remove("LDAPTLS_CACERT")
        .env_remove("LDAPURI")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
    let _ = child.stdin.take().expect("standard input is piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("a started command can be waited for");
    Finished {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// What a command left behind.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status; -1 when a signal ended it.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A loopback port nobody listens on at the moment.
///
/// # Panics
/// When the machine has none.
#[must_use]
#[allow(clippy::disallowed_methods)] // the port has to be known before the server that will own it starts
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    listener.local_addr().expect("a bound socket has an address").port()
}
