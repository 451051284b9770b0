use super::*;
use crate::sasl::ScramServer;
use proptest::prelude::*;

fn scram(hash: ScramHash, nonce: &str) -> Scram {
    Scram::new(hash, "user", Password::new("pencil").unwrap(), nonce).unwrap()
}

fn text(message: &[u8]) -> &str {
    std::str::from_utf8(message).unwrap()
}

/// RFC 5802 section 5 and RFC 7677 section 3.
#[test]
fn the_examples_of_the_rfcs() {
    for (hash, nonce, first, challenge, last, proof) in [
        (
            ScramHash::Sha1,
            "fyko+d2lbbFgONRv9qkxdawL",
            "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
            "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            ScramHash::Sha256,
            "rOprNGfwEbeRWgbNEkqO",
            "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ] {
        let mut client = scram(hash, nonce);
        assert_eq!(text(&client.start().unwrap().unwrap()), first);
        assert_eq!(text(&client.respond(challenge.as_bytes()).unwrap()), last);
        assert!(client.warning().is_none());
        client.finish(Some(proof.as_bytes())).unwrap();

        let mut apart = scram(hash, nonce);
        apart.start().unwrap();
        apart.respond(challenge.as_bytes()).unwrap();
        assert!(apart.respond(proof.as_bytes()).unwrap().is_empty());
        apart.finish(None).unwrap();
    }
}

const NONCE: &str = "fyko+d2lbbFgONRv9qkxdawL";

fn begun() -> Scram {
    let mut client = scram(ScramHash::Sha1, NONCE);
    client.start().unwrap();
    client
}

#[test]
fn success_without_the_servers_signature_is_none() {
    let challenge = format!("r={NONCE}x,s=QSXCR+Q6sek8bf92,i=1");
    for last in
        [None, Some(""), Some("v="), Some("v=AAAA"), Some("v=%"), Some("x=rmF9pqV8S7suAoZWja4dJRkFsKQ=")]
    {
        let mut client = begun();
        client.respond(challenge.as_bytes()).unwrap();
        let judged = client.finish(last.map(str::as_bytes));
        assert!(matches!(judged, Err(SaslError::NotProved { .. })), "{last:?} {judged:?}");
        assert!(client.finish(None).is_err(), "a second time neither");
    }
    for early in [None, Some(&b"v=AAAA"[..])] {
        assert!(matches!(begun().finish(early), Err(SaslError::OutOfTurn { .. })));
    }
}

#[test]
fn the_servers_reason_is_told() {
    let mut client = begun();
    client.respond(format!("r={NONCE}x,s=QSXCR+Q6sek8bf92,i=1").as_bytes()).unwrap();
    let refused = client.finish(Some(b"e=invalid-proof"));
    assert_eq!(
        refused,
        Err(SaslError::Refused { mechanism: "SCRAM-SHA-1", reason: "invalid-proof".to_owned() })
    );
}

#[test]
fn hostile_challenges_are_refused() {
    let (long_salt, long_nonce) = ("AAAA".repeat(300), "x".repeat(1100));
    for challenge in [
        String::new(),
        "r=other,s=QSXC,i=4096".to_owned(),
        format!("r={NONCE},s=QSXC,i=4096"),
        format!("r={NONCE}\u{e4},s=QSXC,i=4096"),
        format!("r={NONCE}{long_nonce},s=QSXC,i=4096"),
        format!("r={NONCE}x,s=,i=4096"),
        format!("r={NONCE}x,s=%%,i=4096"),
        format!("r={NONCE}x,s={long_salt},i=4096"),
        format!("r={NONCE}x,s=QSXC"),
        format!("r={NONCE}x,s=QSXC,i=0"),
        format!("r={NONCE}x,s=QSXC,i=-1"),
        format!("r={NONCE}x,s=QSXC,i=+4096"),
        format!("r={NONCE}x,s=QSXC,i=99999999999"),
        format!("r={NONCE}x,s=QSXC,i={}", MOST_ITERATIONS + 1),
        format!("s=QSXC,r={NONCE}x,i=4096"),
        format!("m=ext,r={NONCE}x,s=QSXC,i=4096"),
    ] {
        assert!(begun().respond(challenge.as_bytes()).is_err(), "{challenge}");
    }
    let mut weak = begun();
    weak.respond(format!("r={NONCE}x,s=QSXC,i=100,future=1").as_bytes()).unwrap();
    assert!(weak.warning().unwrap().contains("100 iterations"));
    assert!(weak.respond(format!("r={NONCE}x,s=QSXC,i=100").as_bytes()).is_err(), "one challenge alone");
    let answer = |iterations: u32| {
        let mut overheard = begun().overheard();
        overheard.respond(format!("r={NONCE}x,s=QSXC,i={iterations}").as_bytes()).err()
    };
    assert!(matches!(answer(LEAST_ITERATIONS - 1), Some(SaslError::Unsupported { .. })));
}

#[test]
fn names_are_prepared_and_cannot_break_out_of_their_field() {
    let first = |user: &str, authzid: &str| {
        let scram = Scram::new(ScramHash::Sha1, user, Password::new("x").unwrap(), "n").unwrap();
        scram.authzid(authzid).start().map(|first| text(&first.unwrap()).to_owned())
    };
    assert_eq!(first("a,r=b", "").unwrap(), "n,,n=a=2Cr=3Db,r=n");
    assert_eq!(first("u", "dn:cn=a,dc=b").unwrap(), "n,a=dn:cn=3Da=2Cdc=3Db,n=u,r=n");
    assert_eq!(first("\u{2168}\u{ad}", "").unwrap(), "n,,n=IX,r=n");
    assert!(first("", "").is_err() && first("a\0", "").is_err() && first("a", "\0").is_err());
}

fn exchange(client: &mut Scram, server: &mut ScramServer, password: &str) -> Result<(), SaslError> {
    let challenge = server.first(&client.start()?.unwrap())?;
    let last = client.respond(&challenge)?;
    let proof = server.last(&last, password.as_bytes())?;
    client.finish(proof.as_deref())
}

#[test]
fn both_halves_agree_on_every_hash_and_binding() {
    for hash in [ScramHash::Sha1, ScramHash::Sha256, ScramHash::Sha512] {
        for binding in [
            None,
            Some(ChannelBinding::tls_exporter([7; 32])),
            Some(ChannelBinding::tls_server_end_point([9; 32])),
        ] {
            let password = "P\u{e4}ssw\u{f6}rd";
            let mut client = Scram::new(hash, "j\u{fc}rgen", Password::new(password).unwrap(), "cn").unwrap();
            let mut server = ScramServer::new(hash, b"salt", 10, "sn");
            if let Some(binding) = binding {
                client = client.bound(binding.clone());
                server = server.bound(binding);
            }
            exchange(&mut client, &mut server, password).unwrap();
            assert_eq!(server.user(), "j\u{fc}rgen");
        }
    }
}

#[test]
fn a_wrong_password_and_a_wrong_binding_are_refused_by_the_server() {
    let client = || scram(ScramHash::Sha256, NONCE);
    let server = || ScramServer::new(ScramHash::Sha256, b"salt", 10, "sn");
    assert!(exchange(&mut client(), &mut server(), "pencil").is_ok());
    assert!(exchange(&mut client(), &mut server(), "pen").is_err());

    let (ours, theirs) = (ChannelBinding::tls_exporter([1; 32]), ChannelBinding::tls_exporter([2; 32]));
    assert!(exchange(&mut client().bound(ours.clone()), &mut server().bound(theirs), "pencil").is_err());
    // Somebody took -PLUS out of the server's offer: the client says that it could have.
    assert!(exchange(&mut client().binding_not_offered(), &mut server().bound(ours), "pencil").is_err());
    assert!(exchange(&mut client().binding_not_offered(), &mut server(), "pencil").is_ok());
}

proptest! {
    #[test]
    fn nothing_that_a_server_sends_panics(first: Vec<u8>, rest in "[a-z0-9=,+/]{0,60}", last: Vec<u8>) {
        let _ = begun().respond(&first);
        let _ = begun().respond(format!("r={NONCE}{}", rest.replace("i=", "i=1,")).as_bytes());
        let mut client = begun();
        client.respond(format!("r={NONCE}x,s=QSXC,i=1").as_bytes()).unwrap();
        prop_assert!(client.finish(Some(&last)).is_err());
    }

    #[test]
    fn nothing_that_a_client_sends_panics(first: Vec<u8>, last: Vec<u8>, text in "[npya=,r-]{0,30}") {
        let server = || ScramServer::new(ScramHash::Sha1, b"salt", 1, "sn");
        let _ = server().first(&first);
        let _ = server().first(text.as_bytes());
        let mut begun = server();
        begun.first(b"n,,n=user,r=abc").unwrap();
        prop_assert!(!matches!(begun.last(&last, b"pencil"), Ok(Some(_))));
    }
}

#[test]
fn enough_iterations_are_answered_where_somebody_listens() {
    let challenge = format!("r={NONCE}x,s=QSXC,i={LEAST_ITERATIONS}");
    assert!(begun().overheard().respond(challenge.as_bytes()).is_ok());
}
