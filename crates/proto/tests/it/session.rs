//! A client's and a server's session against each other, in memory.

use bytes::BytesMut;
use ldapgate_proto::message::encode;
use ldapgate_proto::session::Fault;
use ldapgate_proto::{
    Authentication, BindRequest, BindResponse, Bytes, ClientSession, CompareRequest, Controls, Entry, Event,
    ExtendedResponse, Filter, IntermediateResponse, LdapResult, Limits, Message, MessageId,
    NoticeOfDisconnection, PagedResults, Password, Request, Response, ResultCode, Scope, SearchRequest,
    ServerSession, SessionError, StartTls, WhoAmI,
};

/// Two sessions and the bytes between them.
struct World {
    client: ClientSession,
    server: ServerSession,
    to_server: BytesMut,
    to_client: BytesMut,
}

impl World {
    fn new() -> World {
        World {
            client: ClientSession::new(Limits::client()),
            server: ServerSession::new(Limits::server()),
            to_server: BytesMut::new(),
            to_client: BytesMut::new(),
        }
    }

    fn send(&mut self, request: Request) -> MessageId {
        let (id, frame) = self.client.send(&request, &Controls::default()).unwrap();
        self.to_server.extend_from_slice(&frame);
        id
    }

    fn reply(&mut self, id: MessageId, response: Response) {
        let frame = self.server.reply(id, &response, &Controls::default());
        self.to_client.extend_from_slice(&frame);
    }

    /// What a server without manners would write.
    fn inject(&mut self, id: u32, response: Response) {
        self.to_client.extend_from_slice(&encode(MessageId(id), &response, &Controls::default()));
    }

    fn serve(&mut self) -> Option<Message<Request>> {
        self.server.receive(&mut self.to_server).unwrap()
    }

    fn receive(&mut self) -> Option<Event> {
        self.client.receive(&mut self.to_client).unwrap()
    }

    fn receive_error(&mut self) -> SessionError {
        let error = self.client.receive(&mut self.to_client).unwrap_err();
        assert_eq!(error.fault(), Fault::Peer);
        assert!(self.client.is_closed(), "a peer's fault ends the session");
        error
    }
}

fn search() -> Request {
    Request::Search(SearchRequest::new("dc=x", Scope::Subtree, Filter::present("uid")))
}

fn bind() -> Request {
    Request::Bind(BindRequest::simple("uid=ada,dc=x", Password::new("secret").unwrap()))
}

fn compare(value: usize) -> Request {
    let value = Bytes::from(vec![b'x'; value]);
    Request::Compare(CompareRequest { dn: "dc=x".to_owned(), attribute: "a".to_owned(), value })
}

fn done() -> Response {
    Response::SearchDone(LdapResult::success())
}

fn entry(dn: &str) -> Response {
    Response::SearchEntry(Entry::builder(dn).attribute("uid", ["x"]).build())
}

fn bound() -> Response {
    Response::Bind(BindResponse::new(LdapResult::success()))
}

#[test]
fn a_search_yields_entries_and_ends() {
    let mut world = World::new();
    let id = world.send(search());
    let request = world.serve().expect("a search");
    assert_eq!(request.id, id);
    world.reply(id, entry("uid=a,dc=x"));
    world.reply(id, Response::SearchReference(vec!["ldap://b/".to_owned()]));
    world.reply(id, Response::Intermediate(IntermediateResponse { oid: None, value: None }));
    world.reply(id, done());
    let mut lasts = Vec::new();
    while let Some(event) = world.receive() {
        let Event::Response { id: answered, last, .. } = event else { panic!("{event:?}") };
        assert_eq!(answered, id);
        lasts.push(last);
    }
    assert_eq!(lasts, [false, false, false, true]);
    assert_eq!((world.client.outstanding(), world.server.outstanding()), (0, 0));
}

#[test]
fn requests_are_answered_in_any_order() {
    let mut world = World::new();
    let (first, second) = (world.send(search()), world.send(compare(1)));
    assert_ne!(first, second);
    world.serve().expect("the first");
    world.serve().expect("the second");
    world.reply(second, Response::Compare(LdapResult::new(ResultCode::COMPARE_TRUE, "")));
    world.reply(first, done());
    assert!(matches!(world.receive(), Some(Event::Response { id, last: true, .. }) if id == second));
    assert!(matches!(world.receive(), Some(Event::Response { id, last: true, .. }) if id == first));
}

#[test]
fn a_message_may_arrive_octet_by_octet() {
    let mut world = World::new();
    world.send(bind());
    let sent = world.to_server.split();
    for (count, octet) in sent.iter().enumerate() {
        world.to_server.extend_from_slice(&[*octet]);
        assert_eq!(world.serve().is_some(), count + 1 == sent.len());
    }
}

#[test]
fn controls_travel_with_their_message() {
    let mut world = World::new();
    let controls = Controls::from(PagedResults::request(10, b"next"));
    let (id, frame) = world.client.send(&search(), &controls).unwrap();
    world.to_server.extend_from_slice(&frame);
    assert_eq!(world.serve().expect("a search").controls, controls);
    world.to_client.extend_from_slice(&world.server.reply(id, &done(), &controls));
    let Some(Event::Response { controls: told, .. }) = world.receive() else { panic!("an answer") };
    assert_eq!(told, controls);
}

#[test]
fn a_bind_is_sent_alone() {
    let mut world = World::new();
    let id = world.send(search());
    let refused = world.client.send(&bind(), &Controls::default()).unwrap_err();
    assert_eq!(refused, SessionError::NotAlone { request: "bind", outstanding: 1 });
    assert_eq!(refused.fault(), Fault::Caller);
    world.serve().expect("the search");
    world.reply(id, done());
    world.receive().expect("its end");

    let id = world.send(bind());
    for refused in [search(), bind(), Request::Extended(WhoAmI::request())] {
        assert!(matches!(
            world.client.send(&refused, &Controls::default()),
            Err(SessionError::NotAlone { .. })
        ));
    }
    world.serve().expect("the bind");
    world.reply(id, bound());
    world.receive().expect("its answer");
    world.send(search());
}

#[test]
fn nothing_but_its_next_step_is_sent_while_a_bind_is_in_progress() {
    let step = || {
        let authentication = Authentication::Sasl { mechanism: "X".into(), credentials: None };
        Request::Bind(BindRequest { version: 3, name: String::new(), authentication })
    };
    let answer = |code| {
        let result = LdapResult::new(code, "");
        Response::Bind(BindResponse { result, server_credentials: None })
    };
    for last in [ResultCode::SUCCESS, ResultCode::INVALID_CREDENTIALS] {
        let mut world = World::new();
        let id = world.send(step());
        world.serve().expect("the first step");
        world.reply(id, answer(ResultCode::SASL_BIND_IN_PROGRESS));
        world.receive().expect("a challenge");
        let refused = world.client.send(&search(), &Controls::default()).unwrap_err();
        assert_eq!(refused, SessionError::BindInProgress { request: "search" });
        assert_eq!(refused.fault(), Fault::Caller);
        let tls = Request::Extended(StartTls::request());
        assert!(world.client.send(&tls, &Controls::default()).is_err());

        let id = world.send(step());
        world.serve().expect("the second step");
        world.reply(id, answer(last));
        world.receive().expect("the end");
        world.send(search());
    }
}

#[test]
fn start_tls_is_sent_alone() {
    let mut world = World::new();
    world.send(Request::Extended(StartTls::request()));
    assert!(world.client.send(&search(), &Controls::default()).is_err());
    assert!(world.client.send(&bind(), &Controls::default()).is_err());
}

#[test]
fn octets_in_the_clear_after_start_tls_are_fatal_for_the_client() {
    let mut world = World::new();
    let id = world.send(Request::Extended(StartTls::request()));
    world.serve().expect("the request");
    world.reply(id, Response::Extended(StartTls::response(LdapResult::success())));
    world.inject(2, bound());
    assert_eq!(world.receive_error(), SessionError::ClearTextAfterStartTls(14));
}

#[test]
fn octets_in_the_clear_after_start_tls_are_fatal_for_the_server() {
    let mut world = World::new();
    world.send(Request::Extended(StartTls::request()));
    world.to_server.extend_from_slice(&encode(MessageId(2), &search(), &Controls::default()));
    let error = world.server.receive(&mut world.to_server).unwrap_err();
    assert!(matches!(error, SessionError::ClearTextAfterStartTls(_)));
}

#[test]
fn after_a_refused_start_tls_the_session_goes_on() {
    let mut world = World::new();
    let id = world.send(Request::Extended(StartTls::request()));
    world.serve().expect("the request");
    world.reply(
        id,
        Response::Extended(ExtendedResponse::new(LdapResult::new(ResultCode::PROTOCOL_ERROR, "no"))),
    );
    assert!(matches!(world.receive(), Some(Event::Response { last: true, .. })));
    world.send(search());
}

#[test]
fn late_answers_to_an_abandoned_search_are_swallowed() {
    let mut world = World::new();
    let abandoned = world.send(search());
    world.serve().expect("the search");
    world.reply(abandoned, entry("uid=a,dc=x"));
    let frame = world.client.abandon(abandoned);
    world.to_server.extend_from_slice(&frame);
    world.reply(abandoned, entry("uid=b,dc=x"));
    let next = world.send(search());
    assert!(
        matches!(world.serve(), Some(Message { operation: Request::Abandon(id), .. }) if id == abandoned)
    );
    assert!(!world.server.is_outstanding(abandoned));
    assert!(world.server.reply(abandoned, &done(), &Controls::default()).is_empty(), "it gets no answer");
    world.serve().expect("the next search");
    world.reply(next, done());
    assert!(matches!(world.receive(), Some(Event::Response { id, .. }) if id == next));
    assert!(world.receive().is_none());
}

#[test]
fn a_bind_cannot_be_abandoned_and_neither_can_what_is_over() {
    let mut world = World::new();
    let id = world.send(bind());
    assert!(world.client.abandon(id).is_empty());
    assert_eq!(world.client.outstanding(), 1);
    assert!(world.client.abandon(MessageId(99)).is_empty());
}

#[test]
fn an_answer_to_what_was_never_sent_is_an_error() {
    let mut world = World::new();
    let id = world.send(search());
    world.inject(id.0 + 1, done());
    assert_eq!(world.receive_error(), SessionError::UnknownId(MessageId(2)));
    assert_eq!(world.client.send(&search(), &Controls::default()).unwrap_err(), SessionError::Closed);
}

#[test]
fn a_refusal_as_sambas_extended_response_is_taken_for_what_it_means_and_a_success_is_not() {
    let code = ResultCode::UNAVAILABLE_CRITICAL_EXTENSION;
    for request in [search(), bind(), compare(1)] {
        let mut world = World::new();
        let id = world.send(request);
        world.inject(id.0, Response::Extended(ExtendedResponse::new(LdapResult::new(code, ""))));
        let Some(Event::Response { response, last: true, .. }) = world.receive() else { panic!("no answer") };
        assert!(!matches!(response, Response::Extended(_)), "{response:?}");
        assert_eq!(response.result().map(|result| result.code), Some(code));
        assert_eq!(world.client.outstanding(), 0);
    }
    let mut world = World::new();
    let id = world.send(search());
    world.inject(id.0, Response::Extended(ExtendedResponse::new(LdapResult::success())));
    assert!(matches!(world.receive_error(), SessionError::WrongResponse { .. }));
}

#[test]
fn an_answer_of_another_kind_is_an_error() {
    for (request, wrong) in
        [(search(), bound()), (bind(), done()), (compare(1), Response::Delete(LdapResult::success()))]
    {
        let mut world = World::new();
        let id = world.send(request);
        world.inject(id.0, wrong);
        assert!(matches!(world.receive_error(), SessionError::WrongResponse { .. }));
    }
}

#[test]
fn a_second_answer_is_swallowed() {
    let mut world = World::new();
    let id = world.send(search());
    world.inject(id.0, done());
    world.inject(id.0, done());
    assert!(world.receive().is_some());
    assert!(world.receive().is_none());
}

#[test]
fn a_notice_of_disconnection_ends_the_session_and_says_why() {
    let mut world = World::new();
    world.send(search());
    let why = LdapResult::new(ResultCode::UNAVAILABLE, "going down");
    world.to_client.extend_from_slice(&world.server.notice(why.clone()));
    assert!(matches!(world.receive(), Some(Event::Disconnected(result)) if result == why));
    assert!(world.client.is_closed() && world.server.is_closed());
    assert!(world.receive().is_none());
    assert!(NoticeOfDisconnection::is(&NoticeOfDisconnection::response(why)));
}

#[test]
fn other_notices_are_told_and_other_messages_without_an_id_are_errors() {
    let mut world = World::new();
    let mut notice = ExtendedResponse::new(LdapResult::success());
    notice.oid = Some("1.2.3".to_owned());
    world.inject(0, Response::Extended(notice.clone()));
    assert!(matches!(world.receive(), Some(Event::Unsolicited(told)) if told == notice));
    world.inject(0, done());
    assert_eq!(world.receive_error(), SessionError::UnaskedResponse("search done"));
}

#[test]
fn a_request_that_is_too_long_is_refused_and_costs_nothing() {
    let limits = Limits { max_request: 1000, ..Limits::client() };
    let mut client = ClientSession::new(limits);
    let refused = client.send(&compare(1000), &Controls::default()).unwrap_err();
    assert!(matches!(refused, SessionError::RequestTooLong { length: 1028, limit: 1000 }), "{refused:?}");
    assert_eq!((refused.fault(), client.outstanding()), (Fault::Caller, 0));
    let (id, _) = client.send(&compare(900), &Controls::default()).unwrap();
    assert_eq!(id, MessageId(1));
}

#[test]
fn unbind_is_the_last_word() {
    let mut world = World::new();
    let frame = world.client.unbind();
    world.to_server.extend_from_slice(&frame);
    assert!(matches!(world.serve(), Some(Message { operation: Request::Unbind, .. })));
    assert!(world.client.is_closed() && world.server.is_closed());
    world.to_server.extend_from_slice(&encode(MessageId(2), &search(), &Controls::default()));
    assert!(world.serve().is_none());
    assert_eq!(world.client.send(&search(), &Controls::default()).unwrap_err(), SessionError::Closed);
}

#[test]
fn unbind_and_abandon_are_not_sent_as_requests() {
    let mut world = World::new();
    for request in [Request::Unbind, Request::Abandon(MessageId(1))] {
        let refused = world.client.send(&request, &Controls::default()).unwrap_err();
        assert!(matches!(refused, SessionError::NotARequest(_)));
    }
}

#[test]
fn a_name_without_a_password_is_not_sent() {
    let mut bind = BindRequest::anonymous();
    bind.name = "cn=admin".to_owned();
    bind.authentication = Authentication::Unauthenticated;
    let refused = World::new().client.send(&Request::Bind(bind), &Controls::default()).unwrap_err();
    assert_eq!(refused, SessionError::NoPassword);
}

#[test]
fn a_server_refuses_ids_that_are_not_free() {
    for ids in [&[0][..], &[3, 3]] {
        let mut server = ServerSession::new(Limits::server());
        let mut wire = BytesMut::new();
        ids.iter()
            .for_each(|id| wire.extend_from_slice(&encode(MessageId(*id), &search(), &Controls::default())));
        for _ in 1..ids.len() {
            server.receive(&mut wire).unwrap().expect("its first use");
        }
        let error = server.receive(&mut wire).unwrap_err();
        assert!(matches!(error, SessionError::BadRequestId(_)));
        assert_eq!(error.fault(), Fault::Peer);
    }
}

#[test]
fn a_server_reads_nothing_while_it_answers_a_bind() {
    let mut world = World::new();
    let id = world.send(bind());
    world.to_server.extend_from_slice(&encode(MessageId(2), &search(), &Controls::default()));
    world.serve().expect("the bind");
    assert!(world.serve().is_none());
    world.reply(id, bound());
    assert!(matches!(world.serve(), Some(Message { operation: Request::Search(_), .. })));
}

#[test]
fn a_client_that_floods_a_server_is_stopped() {
    let limits = Limits { max_outstanding: 2, ..Limits::server() };
    let mut server = ServerSession::new(limits);
    let mut wire = BytesMut::new();
    (1..=3).for_each(|id| wire.extend_from_slice(&encode(MessageId(id), &search(), &Controls::default())));
    assert!(server.receive(&mut wire).unwrap().is_some());
    assert!(server.receive(&mut wire).unwrap().is_some());
    assert_eq!(server.receive(&mut wire).unwrap_err(), SessionError::TooManyRequests(2));
}
