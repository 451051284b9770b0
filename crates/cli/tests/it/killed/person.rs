//! Somebody whose driver notes what was acknowledged.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use serde_json::json;
use testkit::http::{Answer, Visitor};
use testkit::world::BASE;

use crate::gateway::ldapgate;
use crate::installation::Installation;
use crate::killed::Random;

/// The groups that are mirrored.
pub(crate) const CREWS: [&str; 4] = ["crew-a", "crew-b", "crew-c", "crew-d"];

/// What a driver acts on.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) installation: Arc<Installation>,
    pub(crate) gateways: [String; 2],
}

/// A person, and what is known of what became of their deeds.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) password: String,
    random: Random,
    sessions: Vec<Known>,
    /// The directory's groups now.
    crews: BTreeSet<&'static str>,
    /// What the local groups may be: those of the last login that was acknowledged, and of every try after it.
    pub(crate) mirrored: Vec<BTreeSet<&'static str>>,
    /// Logins that were granted, and wrong passwords.
    pub(crate) granted: Count,
    pub(crate) wrong: Count,
}

/// So many were acknowledged; so many more may have been done or not.
#[derive(Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) sure: i64,
    pub(crate) unsure: i64,
}

/// A session by its cookie.
struct Known {
    cookies: Visitor,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It began, and nobody ended it.
    Alive,
    /// It was ended, and that was acknowledged.
    Ended,
    /// It was to be ended, and nobody answered.
    Unsure,
}

impl Person {
    pub(crate) fn new(number: usize, random: Random) -> Self {
        Self {
            name: format!("sailor{number}"),
            password: format!("Sail-Sea-{number}"),
            random,
            sessions: Vec::new(),
            crews: BTreeSet::new(),
            mirrored: Vec::new(),
            granted: Count::default(),
            wrong: Count::default(),
        }
    }

    /// One deed that chance decides, at a gateway that chance decides.
    pub(crate) async fn does_something(&mut self, around: &Surroundings) {
        let gateway = around.gateways[self.random.below(2) as usize].clone();
        match self.random.below(16) {
            0..=4 => self.tries_to_sign_in(&gateway).await,
            5..=6 => self.guesses(&gateway).await,
            7..=9 => self.looks(&gateway).await,
            10..=12 => self.signs_out(&gateway).await,
            13..=14 => self.changes_crews(&around.installation),
            _ => self.is_shut_out_for_a_moment(&around.installation),
        }
    }

    /// Signs in at a gateway that runs.
    pub(crate) async fn signs_in(&mut self, gateway: &str) {
        let before = self.granted.sure;
        self.tries_to_sign_in(gateway).await;
        assert_eq!(self.granted.sure, before + 1, "{} cannot sign in", self.name);
    }

    async fn tries_to_sign_in(&mut self, gateway: &str) {
        let mut cookies = Visitor::of(gateway);
        match post_login(&mut cookies, &self.name, &self.password).await {
            Ok(answer) => {
                assert_eq!(answer.status, 200, "{}: {}", self.name, answer.body);
                self.granted.sure += 1;
                self.mirrored = vec![self.crews.clone()];
                self.sessions.push(Known { cookies, fate: Fate::Alive });
            }
            Err(error) if nothing_was_asked(&error) => {}
            Err(_) => {
                self.granted.unsure += 1;
                // An attempt that nobody settled counts as a wrong one.
                self.wrong.unsure += 1;
                self.mirrored.push(self.crews.clone());
            }
        }
    }

    async fn guesses(&mut self, gateway: &str) {
        match post_login(&mut Visitor::of(gateway), &self.name, "a guess").await {
            Ok(answer) => {
                assert_eq!(answer.status, 401, "{}: {}", self.name, answer.body);
                self.wrong.sure += 1;
            }
            Err(error) if nothing_was_asked(&error) => {}
            Err(_) => self.wrong.unsure += 1,
        }
    }

    /// What was not ended opens the door.
    async fn looks(&mut self, gateway: &str) {
        let Some(known) = self.some_session() else { return };
        let (mut visitor, fate) = (known.cookies.at(gateway), known.fate);
        if let (Ok(answer), Fate::Alive) = (get(&mut visitor, "/api/me").await, fate) {
            assert_eq!(answer.status, 200, "{} was signed out by nobody: {}", self.name, answer.body);
        }
    }

    async fn signs_out(&mut self, gateway: &str) {
        let Some(known) = self.some_session() else { return };
        let mut visitor = known.cookies.at(gateway);
        let Ok(page) = get(&mut visitor, "/").await else { return };
        let Some(token) = page.field("csrf_token").filter(|_| page.status == 200) else { return };
        let form = format!("csrf_token={token}");
        let kind = Some("application/x-www-form-urlencoded");
        known.fate = match visitor.attempt("POST", "/logout", kind, form.as_bytes()).await {
            Ok(answer) => {
                assert_eq!(answer.status, 303, "{}", answer.body);
                Fate::Ended
            }
            Err(error) if nothing_was_asked(&error) => return,
            Err(_) => Fate::Unsure,
        };
    }

    /// Joins or leaves a group of the directory; the next login mirrors it.
    fn changes_crews(&mut self, installation: &Installation) {
        let crew = CREWS[self.random.below(CREWS.len() as u64) as usize];
        let change = if self.crews.remove(crew) { "delete" } else { "add" };
        if change == "add" {
            self.crews.insert(crew);
        }
        installation.directory.administer(&format!(
            "dn: cn={crew},ou=groups,{BASE}\nchangetype: modify\n{change}: member\nmember: uid={},ou=people,{BASE}\n",
            self.name
        ));
    }

    /// Disabled and enabled on the command line, which ends every session.
    fn is_shut_out_for_a_moment(&mut self, installation: &Installation) {
        if self.granted.sure == 0 {
            return;
        }
        for action in ["disable", "enable"] {
            let done = ldapgate(installation.config(), &["-q", "user", action, &self.name], "");
            assert_eq!(done.status, 0, "{}{}", done.stdout, done.stderr);
        }
        self.sessions.iter_mut().for_each(|known| known.fate = Fate::Ended);
    }

    /// Asks every gateway for every session: what was acknowledged is so; what was not is one or the other, everywhere.
    pub(crate) async fn is_as_noted(&mut self, gateways: &[&str]) {
        for known in &mut self.sessions {
            for gateway in gateways {
                let answer = known.cookies.at(gateway).get("/api/me").await;
                let now = match answer.status {
                    200 => Fate::Alive,
                    401 => Fate::Ended,
                    other => panic!("neither good nor over: {other} {}", answer.body),
                };
                assert!(
                    known.fate == Fate::Unsure || known.fate == now,
                    "a session of {} is noted as {:?} and is {now:?} at {gateway}",
                    self.name,
                    known.fate
                );
                known.fate = now;
            }
        }
        // Long ago and over: it was looked at often enough.
        while self.sessions.len() > 30 && self.sessions[0].fate == Fate::Ended {
            self.sessions.remove(0);
        }
    }

    /// How many sessions are noted as alive.
    pub(crate) fn alive(&self) -> i64 {
        self.sessions.iter().filter(|known| known.fate == Fate::Alive).count() as i64
    }

    /// How much was acknowledged in all.
    pub(crate) fn acknowledged(&self) -> i64 {
        self.granted.sure + self.wrong.sure
    }

    /// The notes in short.
    pub(crate) fn told(&self) -> String {
        let Self { name, granted, wrong, .. } = self;
        format!("{name} +{}?{} -{}?{}", granted.sure, granted.unsure, wrong.sure, wrong.unsure)
    }

    fn some_session(&mut self) -> Option<&mut Known> {
        match self.sessions.len() as u64 {
            0 => None,
            // Mostly one of the last: the others have been over for long.
            length => {
                let back = self.random.below(length.min(6)) + 1;
                self.sessions.get_mut((length - back) as usize)
            }
        }
    }
}

/// Nobody listened: the gateway is dead, and this deed was none.
fn nothing_was_asked(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionRefused
}

async fn post_login(visitor: &mut Visitor, username: &str, password: &str) -> io::Result<Answer> {
    let body = json!({ "username": username, "password": password }).to_string();
    visitor.attempt("POST", "/api/login", Some("application/json"), body.as_bytes()).await
}

async fn get(visitor: &mut Visitor, path: &str) -> io::Result<Answer> {
    visitor.attempt("GET", path, None, b"").await
}
