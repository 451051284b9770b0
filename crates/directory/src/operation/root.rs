//! The two entries that are about the server itself: the root DSE (RFC 4512 section 5.1) and the subschema (section 4.2).

use bytes::Bytes;
use proto::extended::FastBind;
use proto::{Dn, PasswordModify, StartTls, WhoAmI, oid};

use super::control::SUPPORTED;
use super::sasl::MECHANISMS;
use crate::Dialect;
use crate::directory::Shared;
use crate::schema;
use crate::tree::{Attribute, Attributes, Id, Node, Tree};

/// The name of the subschema entry.
pub(crate) const SUBSCHEMA: &str = "cn=Subschema";
/// The schema is part of the program; it never changes while that runs.
const FIXED: &str = "20260101000000Z";
/// `+` (RFC 3673), absolute filters (RFC 4526), increment (RFC 4525).
const FEATURES: [&str; 3] = ["1.3.6.1.4.1.4203.1.5.1", "1.3.6.1.4.1.4203.1.5.3", "1.3.6.1.1.14"];

/// Active Directory, of Windows 2000, Server 2003, Server 2008 and later, with what each added.
const CAPABILITIES: [&str; 5] = [
    oid::ACTIVE_DIRECTORY,
    oid::ACTIVE_DIRECTORY_2003,
    oid::ACTIVE_DIRECTORY_INTEGRITY,
    oid::ACTIVE_DIRECTORY_2008,
    oid::ACTIVE_DIRECTORY_2008_R2,
];

/// The entry about the server that a name stands for, if it does.
pub(super) fn entry(shared: &Shared, tree: &Tree, dn: &Dn) -> Option<Node> {
    let subschema = Dn::parse(SUBSCHEMA).ok()?;
    let attributes = match dn {
        dn if dn.is_root() => root(shared, tree),
        dn if *dn == subschema => self::subschema(),
        _ => return None,
    };
    Some(Node::new(Id::MAX, dn.clone(), None, attributes))
}

fn root(shared: &Shared, tree: &Tree) -> Attributes {
    let start_tls = shared.settings.tls.as_ref().map(|_| StartTls::OID);
    let password = (shared.settings.dialect != Dialect::ActiveDirectory).then_some(PasswordModify::OID);
    let fast_bind = (shared.settings.dialect == Dialect::ActiveDirectory).then_some(FastBind::OID);
    let extensions = [WhoAmI::OID].into_iter().chain(start_tls).chain(password).chain(fast_bind);
    let plus = shared.settings.tls.is_some();
    let mechanisms = MECHANISMS.into_iter().filter(|name| plus || !name.ends_with("-PLUS"));
    let capabilities: &[&str] = match shared.settings.dialect {
        Dialect::ActiveDirectory => &CAPABILITIES,
        _ => &[],
    };
    attributes([
        ("objectClass", vec!["top".to_owned()]),
        ("supportedCapabilities", capabilities.iter().map(|oid| (*oid).to_owned()).collect()),
        ("namingContexts", tree.suffixes().map(|dn| dn.as_str().to_owned()).collect()),
        ("supportedControl", SUPPORTED.map(str::to_owned).to_vec()),
        ("supportedExtension", extensions.map(str::to_owned).collect()),
        ("supportedFeatures", FEATURES.map(str::to_owned).to_vec()),
        ("supportedSASLMechanisms", mechanisms.map(str::to_owned).collect()),
        ("supportedLDAPVersion", vec!["3".to_owned()]),
        ("vendorName", vec!["ldapgate directory".to_owned()]),
        ("vendorVersion", vec![env!("CARGO_PKG_VERSION").to_owned()]),
    ])
}

fn subschema() -> Attributes {
    attributes([
        ("objectClass", vec!["top".to_owned(), "subentry".to_owned(), "subschema".to_owned()]),
        ("cn", vec!["Subschema".to_owned()]),
        ("attributeTypes", schema::attribute_types().collect()),
        ("objectClasses", schema::OBJECT_CLASSES.map(str::to_owned).to_vec()),
        ("modifyTimestamp", vec![FIXED.to_owned()]),
    ])
}

fn attributes<const N: usize>(list: [(&str, Vec<String>); N]) -> Attributes {
    let mut attributes = Attributes::default();
    for (name, values) in list {
        let Some(attribute) = Attribute::parse(name) else { continue };
        let values = values.into_iter().map(Bytes::from).collect();
        attributes.0.push(Attribute { values, ..attribute });
    }
    attributes.0.retain(|attribute| !attribute.values.is_empty());
    attributes
}
