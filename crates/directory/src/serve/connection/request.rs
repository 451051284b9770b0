//! What becomes of a request: answered at once, given to a task, or refused.

use std::sync::Arc;
use std::time::Duration;

use proto::extended::FastBind;
use proto::message::{Message, encode};
use proto::{
    Controls, LdapResult, MessageId, PasswordModify, PasswordPolicy, PasswordPolicyError, Request, Response,
    ResultCode, SearchRequest, StartTls,
};

use super::super::GARBAGE;
use super::super::searching::{Searching, Wait, lock, pause};
use super::{Asked, Connection, Next, Reply};
use crate::account_state::Standing;
use crate::operation::{self, Identity, Recognised};
use crate::{Dialect, Fault, Kind, Operation};

/// Added to the message id by [`Fault::WrongId`].
const ASTRAY: u32 = 1_000_000;

impl Connection {
    pub(super) async fn handle(&mut self, message: Message<Request>) -> Next {
        let Message { id, operation: request, controls } = message;
        let kind = operation::kind(&request);
        let line = self.shared.journal.asked(self.describe(kind, &request));
        let mut asked = Asked { id, line, astray: false };
        match &request {
            Request::Unbind => return Next::Close,
            Request::Abandon(abandoned) => {
                self.abandon(*abandoned);
                return Next::Continue;
            }
            _ => {}
        }
        let (mut delay, mut most) = (Duration::ZERO, None);
        match self.shared.settings.faults.take(kind) {
            None => {}
            Some(Fault::Delay(time)) => delay = time,
            Some(Fault::WrongId) => asked.astray = true,
            Some(Fault::CloseAfter(entries)) if kind == Kind::Search => most = Some(entries),
            Some(Fault::Drop) => return Next::Continue,
            Some(Fault::Close | Fault::CloseAfter(_)) => return Next::Close,
            Some(Fault::Garbage) => {
                self.output.extend_from_slice(GARBAGE);
                return Next::Continue;
            }
            Some(Fault::Answer(result)) => return self.refuse(asked, kind, result, &Recognised::default()),
        }
        let controls = match Recognised::read(kind, &controls) {
            Ok(controls) => controls,
            Err(refusal) => return self.refuse(asked, kind, refusal, &Recognised::default()),
        };
        match request {
            Request::Bind(request) => {
                self.quit_tasks();
                pause(delay).await;
                self.bind(asked, request, &controls).await;
                Next::Continue
            }
            Request::Extended(_) if kind == Kind::StartTls => {
                pause(delay).await;
                self.start_tls(asked)
            }
            request if !self.is_allowed(&request) => {
                let text = "the password must be changed first";
                let result = LdapResult::new(ResultCode::INSUFFICIENT_ACCESS_RIGHTS, text);
                self.refuse(asked, kind, result, &controls)
            }
            Request::Search(request) => {
                self.search(asked, request, controls, Wait { delay, most });
                Next::Continue
            }
            Request::Extended(request)
                if request.oid == PasswordModify::OID && self.knows_password_modify() =>
            {
                pause(delay).await;
                let answer = operation::modify_password(&self.shared, self.who, &request).await;
                self.answer_password(asked, &answer, &controls);
                Next::Continue
            }
            Request::Extended(request)
                if request.oid == FastBind::OID
                    && self.shared.settings.dialect == Dialect::ActiveDirectory =>
            {
                pause(delay).await;
                self.start_fast_bind(asked);
                Next::Continue
            }
            Request::Modify(request) if operation::is_unicode_pwd(&self.shared, &request) => {
                pause(delay).await;
                let answer = operation::modify_unicode_pwd(&self.shared, self.who, &request).await;
                self.answer_password(asked, &answer, &controls);
                Next::Continue
            }
            request if delay.is_zero() => {
                // Done at once, so that changes happen in the order they were asked for.
                let (response, controls) = operation::perform(&self.shared, self.who, &request, &controls);
                self.answer(asked, &response, &controls);
                Next::Continue
            }
            request => {
                let (shared, who, sender) = (Arc::clone(&self.shared), self.who, self.sender.clone());
                self.spawn(asked.id, async move {
                    pause(delay).await;
                    let (response, controls) = operation::perform(&shared, who, &request, &controls);
                    let _ = sender.send(Reply::Answer { asked, response, controls }).await;
                });
                Next::Continue
            }
        }
    }

    async fn bind(&mut self, asked: Asked, request: proto::BindRequest, controls: &Recognised) {
        // RFC 4511 section 4.2.1: whatever becomes of the bind, the old identity is gone.
        self.who = Identity::Anonymous;
        lock(&self.pages).clear();
        let bound = operation::bind(&self.shared, request).await;
        // After a fast bind passwords are checked, and nobody is bound.
        self.who = if self.fast_bind { Identity::Anonymous } else { bound.who };
        let Standing { result, policy, control } = bound.standing;
        let policy = controls.policy.then(|| policy.to_control());
        let told = policy.into_iter().chain(control).collect();
        self.answer(asked, &operation::answer(Kind::Bind, result), &told);
    }

    /// Only on a connection that nobody is bound on (MS-ADTS section 3.1.1.3.4.2.1).
    fn start_fast_bind(&mut self, asked: Asked) {
        let result = match self.who {
            Identity::Anonymous => LdapResult::success(),
            Identity::Entry(_) => {
                LdapResult::new(ResultCode::UNWILLING_TO_PERFORM, "somebody is bound already")
            }
        };
        self.fast_bind |= result.is_success();
        self.answer(asked, &operation::answer(Kind::Extended, result), &Controls::default());
    }

    fn knows_password_modify(&self) -> bool {
        self.shared.settings.dialect != Dialect::ActiveDirectory
    }

    fn answer_password(&mut self, asked: Asked, answer: &operation::PasswordAnswer, controls: &Recognised) {
        let error = answer.policy.filter(|_| controls.policy);
        let policy = error.map(|_| PasswordPolicy { error, ..PasswordPolicy::default() }.to_control());
        self.answer(asked, &answer.response, &policy.into_iter().collect());
    }

    fn start_tls(&mut self, asked: Asked) -> Next {
        let problem = if self.shared.settings.tls.is_none() {
            Some((ResultCode::PROTOCOL_ERROR, "StartTLS is not offered"))
        } else if self.secure {
            Some((ResultCode::OPERATIONS_ERROR, "TLS is there already"))
        } else if !self.running.is_empty() {
            Some((ResultCode::OPERATIONS_ERROR, "other operations are outstanding"))
        } else {
            None
        };
        let result = problem.map_or_else(LdapResult::success, |(code, text)| LdapResult::new(code, text));
        self.answer(asked, &Response::Extended(StartTls::response(result)), &Controls::default());
        if problem.is_none() { Next::StartTls } else { Next::Continue }
    }

    fn search(&mut self, asked: Asked, request: SearchRequest, controls: Recognised, wait: Wait) {
        let task = Searching {
            shared: Arc::clone(&self.shared),
            pages: Arc::clone(&self.pages),
            sender: self.sender.clone(),
            asked,
            wait,
        };
        self.spawn(asked.id, task.run(request, controls));
    }

    fn spawn(&mut self, id: MessageId, work: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(async move {
            work.await;
            id
        });
        self.running.insert(id, task);
    }

    /// Whether the one who is bound may ask this: somebody who must change their password may only do that.
    fn is_allowed(&self, request: &Request) -> bool {
        let own = match request {
            Request::Modify(request) => operation::is_own_password(&self.shared, self.who, request),
            Request::Extended(_) => true,
            _ => false,
        };
        own || !operation::must_change(&self.shared.tree(), self.who)
    }

    fn refuse(&mut self, asked: Asked, kind: Kind, result: LdapResult, controls: &Recognised) -> Next {
        if kind == Kind::Bind {
            self.quit_tasks();
            self.who = Identity::Anonymous;
            lock(&self.pages).clear();
        }
        let error = Some(PasswordPolicyError::ChangeAfterReset);
        let policy =
            controls.policy.then(|| PasswordPolicy { error, ..PasswordPolicy::default() }.to_control());
        self.answer(asked, &operation::answer(kind, result), &policy.into_iter().collect());
        Next::Continue
    }

    pub(super) fn answer(&mut self, asked: Asked, response: &Response, controls: &Controls) {
        let bytes = self.session.reply(asked.id, response, controls);
        if bytes.is_empty() {
            return; // abandoned meanwhile
        }
        if let Some(result) = response.result() {
            self.shared.journal.answered(asked.line, result.code);
        }
        if asked.astray {
            let astray = MessageId(asked.id.0.saturating_add(ASTRAY).min(i32::MAX as u32));
            self.output.extend_from_slice(&encode(astray, response, controls));
        } else {
            self.output.extend_from_slice(&bytes);
        }
    }

    fn abandon(&mut self, id: MessageId) {
        if let Some(task) = self.running.remove(&id) {
            task.abort();
        }
    }

    /// RFC 4511 section 4.2.1: a bind abandons what is outstanding.
    fn quit_tasks(&mut self) {
        self.tasks.abort_all();
        self.running.clear();
    }

    fn describe(&self, kind: Kind, request: &Request) -> Operation {
        let (dn, filter) = match request {
            Request::Bind(request) => (request.name.clone(), None),
            Request::Search(request) => (request.base.clone(), Some(request.filter.to_string())),
            Request::Modify(request) => (request.dn.clone(), None),
            Request::Add(request) => (request.dn.clone(), None),
            Request::Delete(dn) => (dn.clone(), None),
            Request::ModifyDn(request) => (request.dn.clone(), None),
            Request::Compare(request) => (request.dn.clone(), None),
            Request::Extended(request) => (request.oid.clone(), None),
            Request::Unbind | Request::Abandon(_) => (String::new(), None),
        };
        tracing::debug!(connection = self.number, %kind, dn, filter, "asked");
        Operation { connection: self.number, kind, dn, filter, code: None }
    }
}
