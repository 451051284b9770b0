//! LDIF content records (RFC 2849).
use crate::message::Entry;
use bytes::Bytes;
use std::io;
use std::marker::PhantomData;

/// One entry of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The entry's name.
    pub dn: String,
    /// The attributes in the file's order.
    pub attributes: Vec<(String, Vec<Bytes>)>,
    /// The line of the `dn:`, counted from 1.
    pub line: usize,
}
/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}")]
pub struct LdifError {
    line: usize,
}
impl LdifError {
    /// The line, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }
}
impl Record {
    /// The record as an entry.
    pub fn to_entry(&self) -> Entry {
        todo!()
    }
}
/// The records of a file.
pub struct Records<'t> {
    _text: PhantomData<&'t [u8]>,
}
/// Reads content records.
pub fn parse(_text: &[u8]) -> Records<'_> {
    todo!()
}
impl Iterator for Records<'_> {
    type Item = Result<Record, LdifError>;
    fn next(&mut self) -> Option<Self::Item> {
        todo!()
    }
}
/// Writes content records as `ldapsearch -LLL` does.
pub struct Writer<W> {
    out: W,
    wrap: Option<usize>,
}
impl<W: io::Write> Writer<W> {
    /// Folds at 78 columns.
    pub fn new(out: W) -> Self {
        Writer { out, wrap: Some(78) }
    }
    /// Folds at another width, or never.
    pub fn wrap(self, columns: Option<usize>) -> Self {
        Writer { wrap: columns, ..self }
    }
    /// Writes one entry and the blank line after it.
    pub fn entry(&mut self, _entry: &Entry) -> io::Result<()> {
        todo!()
    }
    /// Writes one record and the blank line after it.
    pub fn record(&mut self, _record: &Record) -> io::Result<()> {
        todo!()
    }
    /// Gives the output back.
    pub fn into_inner(self) -> W {
        self.out
    }
}
