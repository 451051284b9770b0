//! Paged results (RFC 2696).

use directory::Limits;
use proto::{PagedResults, Request, ResultCode, SearchRequest};

use crate::support::{ALICE, ALICE_PASSWORD, Answer, Peer, Server, below, demo, names};

async fn page(peer: &mut Peer, request: &SearchRequest, size: u32, cookie: &[u8]) -> (Answer, Vec<u8>) {
    let answer =
        peer.ask_with(&Request::Search(request.clone()), vec![PagedResults::request(size, cookie)]).await;
    let control = answer.controls.get(PagedResults::OID);
    let cookie =
        control.map_or_else(Vec::new, |control| PagedResults::parse(&control).unwrap().cookie.to_vec());
    (answer, cookie)
}

#[tokio::test(flavor = "multi_thread")]
async fn ldapsearch_pages_through_everything() {
    let server = Server::demo().await;
    let plain = server.search(&["(uid=*)", "1.1"]).stdout;
    let before = server.directory.counters().searches;
    let paged = server.search(&["-E", "pr=4/noprompt", "(uid=*)", "1.1"]);
    assert_eq!(names(&paged.stdout), names(&plain));
    assert_eq!(server.directory.counters().searches - before, 4);
    let critical = server.search(&["-E", "!pr=100/noprompt", "(uid=*)", "1.1"]);
    assert_eq!(names(&critical.stdout), names(&plain));
}

#[tokio::test]
async fn the_last_page_has_an_empty_cookie_even_when_it_is_full() {
    let (_directory, mut peer) = Peer::demo();
    let request = below("(uid=*)");
    let (first, cookie) = page(&mut peer, &request, 12, b"").await;
    assert_eq!((first.entries.len(), cookie.is_empty()), (12, false));
    let (second, end) = page(&mut peer, &request, 1, &cookie).await;
    assert_eq!((second.entries.len(), end.is_empty()), (1, true));
}

#[tokio::test]
async fn a_cookie_is_bound_to_search_and_connection() {
    let (directory, mut peer) = Peer::demo();
    let request = below("(uid=*)");
    let (_, cookie) = page(&mut peer, &request, 2, b"").await;
    let mut other = Peer::of(&directory);
    let (answer, _) = page(&mut other, &request, 2, &cookie).await;
    assert_eq!(answer.code(), 53, "another connection");
    let (answer, _) = page(&mut peer, &below("(cn=*)"), 2, &cookie).await;
    assert_eq!(answer.code(), 53, "another search");
    let (answer, _) = page(&mut peer, &request, 2, b"invented").await;
    assert_eq!(answer.code(), 53, "no cookie of ours");
    let (_, cookie) = page(&mut peer, &request, 2, b"").await;
    peer.bind(ALICE, ALICE_PASSWORD).await;
    let (answer, _) = page(&mut peer, &request, 2, &cookie).await;
    assert_eq!(answer.code(), 53, "somebody else speaks now");
}

#[tokio::test]
async fn a_paged_search_can_be_given_up() {
    let (_directory, mut peer) = Peer::demo();
    let request = below("(uid=*)");
    let (_, cookie) = page(&mut peer, &request, 2, b"").await;
    let (answer, end) = page(&mut peer, &request, 0, &cookie).await;
    assert_eq!((answer.code(), answer.entries.len(), end.is_empty()), (0, 0, true));
    assert_eq!(page(&mut peer, &request, 2, &cookie).await.0.code(), 53);
}

#[tokio::test]
async fn a_size_limit_counts_over_all_pages() {
    let (_directory, mut peer) = Peer::demo();
    let request = SearchRequest { size_limit: 5, ..below("(uid=*)") };
    let (first, cookie) = page(&mut peer, &request, 3, b"").await;
    assert_eq!(first.entries.len(), 3);
    let (second, _) = page(&mut peer, &request, 3, &cookie).await;
    assert_eq!((second.entries.len(), second.result().code), (2, ResultCode::SIZE_LIMIT_EXCEEDED));
}

#[tokio::test]
async fn the_servers_own_limit_is_passed_by_paging_alone() {
    let directory = demo().limits(Limits { size: Some(5), ..Limits::default() }).build();
    let mut peer = Peer::of(&directory);
    let plain = peer.find("(uid=*)").await;
    assert_eq!((plain.entries.len(), plain.code()), (5, 4));
    let (mut seen, mut cookie) = (0, Vec::new());
    loop {
        let (answer, next) = page(&mut peer, &below("(uid=*)"), 1000, &cookie).await;
        assert!(answer.entries.len() <= 5);
        seen += answer.entries.len();
        cookie = next;
        if cookie.is_empty() {
            break;
        }
    }
    assert_eq!(seen, 13);
}

#[tokio::test]
async fn entries_that_come_and_go_between_pages_do_no_harm() {
    let (_directory, mut peer) = Peer::demo();
    peer.bind(ALICE, ALICE_PASSWORD).await;
    let (first, cookie) = page(&mut peer, &below("(uid=*)"), 2, b"").await;
    for dn in first.dns().iter().skip(1) {
        assert_eq!(peer.ask(&Request::Delete((*dn).into())).await.code(), 0);
    }
    assert_eq!(peer.ask(&Request::Delete("uid=carol,ou=people,dc=example,dc=com".into())).await.code(), 0);
    let (second, _) = page(&mut peer, &below("(uid=*)"), 100, &cookie).await;
    assert_eq!(second.entries.len(), 10);
}
