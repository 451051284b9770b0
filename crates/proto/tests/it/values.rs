//! Arbitrary messages.

use ldapgate_proto::{
    AddRequest, Authentication, BindRequest, BindResponse, Bytes, Change, ChangeOp, CompareRequest, Control,
    Controls, Deref, Entry, ExtendedRequest, ExtendedResponse, Filter, IntermediateResponse, LdapResult,
    Message, MessageId, ModifyDnRequest, ModifyRequest, Password, Request, Response, ResultCode, Scope,
    SearchRequest,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

const LAST: u32 = i32::MAX as u32;

pub(crate) fn request() -> impl Strategy<Value = Message<Request>> {
    let operation = prop_oneof![
        bind().prop_map(Request::Bind),
        Just(()).prop_map(|()| Request::Unbind),
        search().prop_map(Request::Search),
        (text(), vec(change(), 0..4))
            .prop_map(|(dn, changes)| Request::Modify(ModifyRequest { dn, changes })),
        (text(), vec(attribute(), 0..4))
            .prop_map(|(dn, attributes)| Request::Add(AddRequest { dn, attributes })),
        text().prop_map(Request::Delete),
        (text(), text(), any::<bool>(), option::of(text())).prop_map(
            |(dn, new_rdn, delete_old_rdn, new_superior)| {
                Request::ModifyDn(ModifyDnRequest { dn, new_rdn, delete_old_rdn, new_superior })
            }
        ),
        (text(), text(), octets()).prop_map(|(dn, attribute, value)| Request::Compare(CompareRequest {
            dn,
            attribute,
            value
        })),
        id().prop_map(Request::Abandon),
        (text(), option::of(octets()))
            .prop_map(|(oid, value)| Request::Extended(ExtendedRequest { oid, value })),
    ];
    message(operation)
}

pub(crate) fn response() -> impl Strategy<Value = Message<Response>> {
    let operation = prop_oneof![
        (result(), option::of(octets())).prop_map(|(result, server_credentials)| Response::Bind(
            BindResponse { result, server_credentials }
        )),
        entry().prop_map(Response::SearchEntry),
        vec(text(), 0..4).prop_map(Response::SearchReference),
        result().prop_map(Response::SearchDone),
        result().prop_map(Response::Modify),
        result().prop_map(Response::Add),
        result().prop_map(Response::Delete),
        result().prop_map(Response::ModifyDn),
        result().prop_map(Response::Compare),
        (result(), option::of(text()), option::of(octets()))
            .prop_map(|(result, oid, value)| Response::Extended(ExtendedResponse { result, oid, value })),
        (option::of(text()), option::of(octets()))
            .prop_map(|(oid, value)| Response::Intermediate(IntermediateResponse { oid, value })),
    ];
    message(operation)
}

fn message<T: std::fmt::Debug>(operation: impl Strategy<Value = T>) -> impl Strategy<Value = Message<T>> {
    let controls = vec(control(), 0..4).prop_map(Controls::from);
    (id(), operation, controls).prop_map(|(id, operation, controls)| Message { id, operation, controls })
}

fn id() -> impl Strategy<Value = MessageId> {
    (0..=LAST).prop_map(MessageId)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![9 => ".{0,12}", 1 => ".{120,140}"]
}

fn octets() -> impl Strategy<Value = Bytes> {
    prop_oneof![9 => vec(any::<u8>(), 0..12), 1 => vec(any::<u8>(), 250..260)].prop_map(Bytes::from)
}

fn control() -> impl Strategy<Value = Control> {
    let parts = (text(), any::<bool>(), option::of(octets()));
    parts.prop_map(|(oid, critical, value)| Control { oid, critical, value })
}

fn result() -> impl Strategy<Value = LdapResult> {
    (0..=LAST, text(), text(), vec(text(), 0..3)).prop_map(|(code, matched_dn, message, referrals)| {
        LdapResult { code: ResultCode(code), matched_dn, message, referrals }
    })
}

fn bind() -> impl Strategy<Value = BindRequest> {
    prop_oneof![
        ("[^\0]{0,9}", "[^\0]{1,200}").prop_map(|(name, password)| BindRequest::simple(
            name,
            Password::new(password).expect("neither empty nor NUL")
        )),
        Just(()).prop_map(|()| BindRequest::anonymous()),
        ("[a-z]{1,9}").prop_map(|name| BindRequest {
            authentication: Authentication::Unauthenticated,
            name,
            version: 3
        }),
        (0_u8..=127, text(), text(), option::of(octets())).prop_map(
            |(version, name, mechanism, credentials)| {
                BindRequest { version, name, authentication: Authentication::Sasl { mechanism, credentials } }
            }
        ),
    ]
}

fn attribute() -> impl Strategy<Value = (String, Vec<Bytes>)> {
    (text(), vec(octets(), 0..4))
}

fn change() -> impl Strategy<Value = Change> {
    use ChangeOp::*;
    let op = prop::sample::select(vec![Add, Delete, Replace, Increment]);
    (op, attribute()).prop_map(|(op, (attribute, values))| Change { op, attribute, values })
}

fn entry() -> impl Strategy<Value = Entry> {
    (text(), vec(attribute(), 0..6)).prop_map(|(dn, attributes)| {
        let start = Entry::builder(dn);
        attributes.iter().fold(start, |builder, (name, values)| builder.attribute(name, values)).build()
    })
}

fn search() -> impl Strategy<Value = SearchRequest> {
    use {Deref::*, Scope::*};
    let scope = prop::sample::select(vec![Base, One, Subtree]);
    let deref = prop::sample::select(vec![Never, Searching, Finding, Always]);
    let limits = (0..=LAST, 0..=LAST, any::<bool>());
    (text(), scope, deref, limits, filter(), vec(text(), 0..4)).prop_map(
        |(base, scope, deref, (size_limit, time_limit, types_only), filter, attributes)| SearchRequest {
            base,
            scope,
            deref,
            size_limit,
            time_limit,
            types_only,
            filter,
            attributes,
        },
    )
}

fn filter() -> impl Strategy<Value = Filter> {
    let name = || "[a-z]{1,8}";
    let value = || vec(any::<u8>(), 1..8).prop_map(Bytes::from);
    let substrings = (name(), option::of(value()), vec(value(), 0..3), option::of(value()))
        .prop_filter("at least one part", |(_, initial, any, last)| {
            initial.is_some() || last.is_some() || !any.is_empty()
        })
        .prop_map(|(attribute, initial, any, last)| Filter::Substrings { attribute, initial, any, last });
    let extensible = (option::of(name()), name(), value(), any::<bool>()).prop_map(
        |(rule, attribute, value, dn_attributes)| Filter::Extensible {
            rule,
            attribute: Some(attribute),
            value,
            dn_attributes,
        },
    );
    let leaf = prop_oneof![
        (name(), octets()).prop_map(|(attribute, value)| Filter::Equal { attribute, value }),
        (name(), octets()).prop_map(|(attribute, value)| Filter::GreaterOrEqual { attribute, value }),
        (name(), octets()).prop_map(|(attribute, value)| Filter::LessOrEqual { attribute, value }),
        (name(), octets()).prop_map(|(attribute, value)| Filter::Approximate { attribute, value }),
        name().prop_map(Filter::Present),
        substrings,
        extensible,
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Filter::And),
            vec(inner.clone(), 0..4).prop_map(Filter::Or),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}
