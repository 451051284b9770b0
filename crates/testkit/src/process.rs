//! Child processes that end with the test, even when the test is killed.
#![allow(clippy::disallowed_methods, reason = "a test is a peer of its own")]

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;

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
        let script = r#"ulimit -n 4096 2>/dev/null; exec 3<&0; "$@" 3<&- </dev/null & child=$!
trap 'kill "$child" 2>/dev/null; kill -CONT "$child" 2>/dev/null; wait "$child"; [ -z "$folder" ] || rm -rf -- "$folder"' EXIT
trap exit INT TERM HUP
folder=$(cat <&3)"#;
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

    /// Removes `folder` once the server has ended: for servers that live as long as the test process, whose end runs no
    /// destructor.
    ///
    /// # Panics
    /// When the shell that keeps watch is gone.
    pub fn leaves_nothing_of(&mut self, folder: &Path) {
        let mut watch = self.shell.stdin.as_ref().expect("the server was not stopped");
        watch.write_all(folder.as_os_str().as_encoded_bytes()).expect("the shell keeps watch");
    }

    /// Waits until something listens at each of these ports.
    ///
    /// # Panics
    /// When the server ends or 30 seconds pass; the message has what `log` says.
    pub async fn listens(&mut self, address: IpAddr, ports: &[u16], log: &Path) {
        let deadline = Instant::now() + Duration::from_secs(30);
        for port in ports {
            let address = SocketAddr::new(address, *port);
            while tokio::net::TcpStream::connect(address).await.is_err() {
                let said = || String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned();
                assert!(
                    self.alive() && Instant::now() < deadline,
                    "nothing listens at {address}: {}",
                    said()
                );
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Sends the server itself a signal by its name: `KILL`, `STOP`, `CONT`, `HUP`. What no longer runs hears nothing.
    ///
    /// # Panics
    /// When the machine does not say which process the server is.
    pub fn signal(&self, name: &str) {
        if let Some(server) = self.process() {
            let _ = run("kill", "procps", &[&format!("-{name}"), &server], "");
        }
    }

    /// Ends the server as a crash does, in the middle of whatever it does, and waits until it is gone.
    pub fn kill(&mut self) {
        self.signal("KILL");
        self.stop();
    }

    /// The shell's first child; the second one reads what the shell is told.
    fn process(&self) -> Option<String> {
        let shell = self.shell.id();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"))
            .expect("the machine lists a process's children");
        children.split_whitespace().next().map(ToOwned::to_owned)
    }

    /// Ends the server and waits until it is gone.
    pub fn stop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }

    /// Whether it still runs.
    pub fn alive(&mut self) -> bool {
        // The shell notices nothing before it is told to end; what has ended meanwhile is kept for it as a zombie.
        let is_zombie = |id: String| {
            let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            state.rsplit(')').next().is_some_and(|after| after.trim_start().starts_with('Z'))
        };
        matches!(self.shell.try_wait(), Ok(None)) && !self.process().is_some_and(is_zombie)
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
        .env_remove("LDAPTLS_CACERT")
        .env_remove("LDAPURI")
        .envs(environment.iter().copied())
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

/// A loopback port nobody listens on at the moment; it has to be known before the server that will own it starts.
///
/// # Panics
/// When the machine has none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    listener.local_addr().expect("a bound socket has an address").port()
}
