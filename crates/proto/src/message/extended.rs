//! Extended (RFC 4511 section 4.12).

use super::LdapResult;
use crate::ber::{Error, Reader, Tag, Writer};
use bytes::Bytes;
use std::fmt;

/// An operation that another document defines, by its OID.
#[derive(Clone, PartialEq, Eq)]
pub struct ExtendedRequest {
    /// Which operation.
    pub oid: String,
    /// What it is about; some operations carry a password here, so it is never printed.
    pub value: Option<Bytes>,
}

/// The answer to an extended request, or a notice that nobody asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct ExtendedResponse {
    /// How it ended.
    pub result: LdapResult,
    /// Which operation; most servers leave it out.
    pub oid: Option<String>,
    /// What it yields; never printed, because one operation yields a new password.
    pub value: Option<Bytes>,
}

const REQUEST_NAME: Tag = Tag::context(0);
const REQUEST_VALUE: Tag = Tag::context(1);
const RESPONSE_NAME: Tag = Tag::context(10);
const RESPONSE_VALUE: Tag = Tag::context(11);

impl ExtendedRequest {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<ExtendedRequest, Error> {
        let oid = reader.text(REQUEST_NAME, "operation's OID")?.to_owned();
        let value = reader.enter_if(REQUEST_VALUE)?.map(|content| content.rest_shared());
        Ok(ExtendedRequest { oid, value })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.octets(REQUEST_NAME, &self.oid);
        if let Some(value) = &self.value {
            writer.octets(REQUEST_VALUE, value);
        }
    }
}

impl ExtendedResponse {
    /// An answer without name and value.
    pub fn new(result: LdapResult) -> ExtendedResponse {
        ExtendedResponse { result, oid: None, value: None }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<ExtendedResponse, Error> {
        let result = LdapResult::read(reader)?;
        let oid = match reader.enter_if(RESPONSE_NAME)? {
            Some(oid) => Some(oid.as_text("operation's OID")?.to_owned()),
            None => None,
        };
        let value = reader.enter_if(RESPONSE_VALUE)?.map(|content| content.rest_shared());
        Ok(ExtendedResponse { result, oid, value })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        self.result.write(writer);
        if let Some(oid) = &self.oid {
            writer.octets(RESPONSE_NAME, oid);
        }
        if let Some(value) = &self.value {
            writer.octets(RESPONSE_VALUE, value);
        }
    }
}

impl fmt::Debug for ExtendedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtendedRequest").field("oid", &self.oid).finish_non_exhaustive()
    }
}

impl fmt::Debug for ExtendedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printed = f.debug_struct("ExtendedResponse");
        printed.field("result", &self.result).field("oid", &self.oid).finish_non_exhaustive()
    }
}
