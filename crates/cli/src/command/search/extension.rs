//! `-E`: names of search controls, as `ldapsearch` has them, to controls; and what its header says of them.

use anyhow::{Context as _, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::control::{
    AccountUsability, ChangeTypes, Dereference, DirSync, DirSyncFlags, DomainScope, DontUseCopy, ExtendedDn,
    MatchedValues, PersistentSearch, ServerSideSort, ShowDeleted, SortKey, Subentries, SyncMode, SyncRequest,
    ViewTarget, VirtualListView,
};
use proto::{Control, Filter};

use crate::command::extension::{raw, split};

/// Active Directory tells of changes to the base and what is directly below it.
const SERVER_NOTIFICATION: &str = "1.2.840.113556.1.4.528";

/// What `-E` asks for.
#[derive(Debug, Default)]
pub(super) struct Extensions {
    pub(super) controls: Vec<Control>,
    pub(super) pages: Option<Pages>,
    /// The search goes on after what is there now has been told.
    pub(super) persists: bool,
    /// The limit that `sync=rp` carries.
    pub(super) size_limit: Option<u32>,
    /// What the header says of them, in `ldapsearch`'s order.
    pub(super) remarks: Vec<(Place, String)>,
}

/// Pages of this size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pages {
    pub(super) size: u32,
    pub(super) critical: bool,
}

/// Where a remark stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    ManageDsaIt,
    NoOperation,
    Subentries,
    MatchedValues,
    Pages,
    Sort,
    View,
    Dereference,
}

impl Extensions {
    pub(super) fn read(texts: &[String]) -> anyhow::Result<Extensions> {
        let mut extensions = Extensions::default();
        for text in texts {
            extensions.add(text).with_context(|| format!("-E {text}"))?;
        }
        Ok(extensions)
    }

    /// One more remark; `what` is its text without the criticality.
    pub(super) fn remark(&mut self, place: Place, critical: bool, what: &str, more: &str) {
        let critical = if critical { "critical " } else { "" };
        self.remarks.push((place, format!("with {what} {critical}control{more}")));
        self.remarks.sort_by_key(|(place, _)| *place);
    }

    fn add(&mut self, text: &str) -> anyhow::Result<()> {
        let (critical, name, value) = split(text);
        let control = match (name.to_ascii_lowercase().as_str(), value) {
            ("pr", Some(value)) => return self.pages(value, critical),
            ("accountusability", None) => AccountUsability::request(),
            ("deref", Some(value)) => {
                self.remark(Place::Dereference, critical, "dereference", "");
                dereference(value)?.to_control()
            }
            ("dirsync", Some(value)) if critical => dir_sync(value)?.to_control(),
            ("domainscope", None) => DomainScope.into(),
            ("dontusecopy", None) if critical => DontUseCopy.into(),
            ("dirsync" | "dontusecopy", _) => bail!("it has to be critical: !{name}"),
            ("extendeddn", Some("0")) => ExtendedDn::Hexadecimal.to_control(),
            ("extendeddn", Some("1")) => ExtendedDn::Text.to_control(),
            ("mv", Some(value)) => {
                let filter = values_filter(value)?;
                self.remark(Place::MatchedValues, critical, "valuesReturnFilter", &format!(": {value}"));
                MatchedValues::new(filter)?.to_control()
            }
            ("ps", Some(value)) => {
                self.persists = true;
                persistent(value)?.to_control()
            }
            ("showdeleted", None) => ShowDeleted.into(),
            ("servernotif", None) => {
                self.persists = true;
                Control::new(SERVER_NOTIFICATION, None)
            }
            ("sss", Some(value)) => {
                self.remark(Place::Sort, critical, "server side sorting", "");
                sort(value)?.to_control()
            }
            ("subentries", value) => {
                let (which, word) = match value {
                    None | Some("true") => (Subentries::Only, "true"),
                    Some("false") => (Subentries::Without, "false"),
                    Some(_) => bail!("it is true or false"),
                };
                self.remark(Place::Subentries, critical, "subentries", &format!(": {word}"));
                which.to_control()
            }
            ("sync", Some(value)) => self.sync(value)?.to_control(),
            ("vlv", Some(value)) => {
                let (view, told) = view(value)?;
                self.remark(Place::View, critical, "virtual list view", &format!(": {told}"));
                view.to_control()
            }
            (oid, value) if oid.starts_with(|c: char| c.is_ascii_digit()) => raw(oid, value)?,
            _ => bail!("not known, or without what it needs, or with what it does not take"),
        };
        // More attributes to dereference are one more control, as with ldapsearch; of the others there is one.
        if control.oid != Dereference::OID && self.controls.iter().any(|other| other.oid == control.oid) {
            bail!("this was asked for before");
        }
        self.controls.push(Control { critical, ..control });
        Ok(())
    }

    fn pages(&mut self, value: &str, critical: bool) -> anyhow::Result<()> {
        let (size, prompt) = value.split_once('/').unwrap_or((value, "noprompt"));
        let size = size.parse().ok().filter(|size| (1..=i32::MAX as u32).contains(size));
        let size = size.context("a page's size is a number above 0")?;
        if !["prompt", "noprompt"].contains(&prompt) {
            bail!("it is pr=SIZE/noprompt; nobody is asked between pages");
        }
        if self.pages.is_some() {
            bail!("this was asked for before");
        }
        self.remark(Place::Pages, critical, "pagedResults", &format!(": size={size}"));
        self.pages = Some(Pages { size, critical });
        Ok(())
    }

    fn sync(&mut self, value: &str) -> anyhow::Result<SyncRequest> {
        let (mode, rest) = match value.split_once('/') {
            Some((mode, rest)) => (mode, Some(rest)),
            None => (value, None),
        };
        let mode = match mode {
            "ro" => SyncMode::RefreshOnly,
            "rp" => SyncMode::RefreshAndPersist,
            _ => bail!("it is ro or rp"),
        };
        self.persists |= mode == SyncMode::RefreshAndPersist;
        let cookie = match rest.and_then(|rest| rest.rsplit_once('/')) {
            Some((cookie, limit)) if mode == SyncMode::RefreshAndPersist => {
                self.size_limit = Some(limit.parse().context("the limit is no number")?);
                Some(cookie)
            }
            _ => rest,
        };
        let cookie = cookie.filter(|cookie| !cookie.is_empty()).map(|cookie| cookie.to_owned().into());
        Ok(SyncRequest { cookie, ..SyncRequest::new(mode) })
    }
}

/// `[-]ATTR[:RULE][/..]`
fn sort(value: &str) -> anyhow::Result<ServerSideSort> {
    let key = |text: &str| {
        let (reverse, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
        let (attribute, rule) = match text.split_once(':') {
            Some((attribute, rule)) => (attribute, Some(rule.to_owned())),
            None => (text, None),
        };
        if attribute.is_empty() {
            bail!("an attribute is missing");
        }
        Ok(SortKey { attribute: attribute.to_owned(), rule, reverse })
    };
    Ok(ServerSideSort { keys: value.split('/').map(key).collect::<anyhow::Result<_>>()? })
}

/// `BEFORE/AFTER(/OFFSET/COUNT|:VALUE)`, and as the header tells it.
fn view(value: &str) -> anyhow::Result<(VirtualListView, String)> {
    let wrong = || anyhow!("it is BEFORE/AFTER/OFFSET/COUNT or BEFORE/AFTER:VALUE");
    let number = |text: Option<&str>| -> anyhow::Result<u32> {
        text.and_then(|text| text.parse().ok()).ok_or_else(wrong)
    };
    let (numbers, target) = match value.split_once(':') {
        Some((numbers, value)) => (numbers, Some(value)),
        None => (value, None),
    };
    let mut numbers = numbers.split('/');
    let (before, after) = (number(numbers.next())?, number(numbers.next())?);
    let (target, told) = match target {
        Some(target) => (ViewTarget::NotBefore(target.to_owned().into()), format!(":{target}")),
        None => {
            let (offset, count) = (number(numbers.next())?, number(numbers.next())?);
            (ViewTarget::Offset { offset, count }, format!("/{offset}/{count}"))
        }
    };
    if numbers.next().is_some() {
        return Err(wrong());
    }
    Ok((VirtualListView::around(target, before, after), format!("{before}/{after}{told}")))
}

/// `((a=b)(c=d))`, as RFC 3876 has it, or one filter.
fn values_filter(value: &str) -> anyhow::Result<Filter> {
    let joined = match value.strip_prefix("((") {
        Some(inner) => format!("(|({inner}"),
        None => value.to_owned(),
    };
    Filter::parse(&joined).context("the values' filter cannot be read")
}

/// `ATTR:ATTR[,..][;..]`
fn dereference(value: &str) -> anyhow::Result<Dereference> {
    let spec = |text: &str| {
        let (attribute, wanted) = text.split_once(':').context("it is ATTR:ATTR[,..][;..]")?;
        Ok((attribute.to_owned(), wanted.split(',').map(str::to_owned).collect()))
    };
    Ok(Dereference { specs: value.split(';').map(spec).collect::<anyhow::Result<_>>()? })
}

/// `TYPES/ONLY/CHANGES`
fn persistent(value: &str) -> anyhow::Result<PersistentSearch> {
    let parts: Vec<u8> = value.split('/').map(str::parse).collect::<Result<_, _>>().unwrap_or_default();
    let [types, only @ 0..=1, changes @ 0..=1] = parts[..] else {
        bail!("it is TYPES/ONLY/CHANGES: 1 add, 2 delete, 4 modify, 8 rename; then 0 or 1");
    };
    let known = [ChangeTypes::ADD, ChangeTypes::DELETE, ChangeTypes::MODIFY, ChangeTypes::MODIFY_DN];
    let chosen = known.into_iter().enumerate().filter(|(bit, _)| types >> bit & 1 == 1).map(|(_, kind)| kind);
    let change_types = chosen.reduce(|all, kind| all | kind).filter(|_| types < 16);
    let change_types = change_types.context("the types are a sum of 1, 2, 4 and 8")?;
    Ok(PersistentSearch { change_types, changes_only: only == 1, return_changes: changes == 1 })
}

/// `FLAGS/SIZE[/COOKIE]`, the cookie in base64.
fn dir_sync(value: &str) -> anyhow::Result<DirSync> {
    let mut parts = value.splitn(3, '/');
    let mut number = || parts.next().and_then(|text| text.parse::<u32>().ok());
    let (Some(flags), Some(max_bytes)) = (number(), number()) else { bail!("it is FLAGS/SIZE[/COOKIE]") };
    let known = [
        (0x1, DirSyncFlags::OBJECT_SECURITY),
        (0x800, DirSyncFlags::ANCESTORS_FIRST_ORDER),
        (0x2000, DirSyncFlags::PUBLIC_DATA_ONLY),
        (0x8000_0000, DirSyncFlags::INCREMENTAL_VALUES),
    ];
    let chosen = known.into_iter().filter(|(bit, _)| flags & bit != 0);
    if chosen.clone().map(|(bit, _)| bit).sum::<u32>() != flags {
        bail!("the flags are a sum of 1, 2048, 8192 and 2147483648");
    }
    let flags = chosen.fold(DirSyncFlags::default(), |all, (_, flag)| all | flag);
    let cookie = STANDARD.decode(parts.next().unwrap_or_default()).context("the cookie is not base64")?;
    Ok(DirSync { flags, max_bytes, cookie: cookie.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Extensions> {
        Extensions::read(&[text.to_owned()])
    }

    #[test]
    fn controls_are_named_as_ldapsearch_names_them() {
        for (text, oid, critical, remark) in [
            ("!sss=-uid:2.5.13.3/cn", ServerSideSort::OID, true, "with server side sorting critical control"),
            ("vlv=1/2/3/4", VirtualListView::OID, false, "with virtual list view control: 1/2/3/4"),
            ("vlv=1/2:bob", VirtualListView::OID, false, "with virtual list view control: 1/2:bob"),
            (
                "mv=((cn=a)(sn=b))",
                MatchedValues::OID,
                false,
                "with valuesReturnFilter control: ((cn=a)(sn=b))",
            ),
            ("!subentries", Subentries::OID, true, "with subentries critical control: true"),
            ("subentries=false", Subentries::OID, false, "with subentries control: false"),
            ("deref=member:uid,cn;manager:cn", Dereference::OID, false, "with dereference control"),
            ("domainScope", DomainScope::OID, false, ""),
            ("!dontUseCopy", DontUseCopy::OID, true, ""),
            ("sync=ro", SyncRequest::OID, false, ""),
            ("!sync=rp/cookie/7", SyncRequest::OID, true, ""),
            ("ps=15/0/1", PersistentSearch::OID, false, ""),
            ("!dirSync=2147483649/0", DirSync::OID, true, ""),
            ("extendedDn=1", ExtendedDn::OID, false, ""),
            ("!1.2.3=::dGV4dA==", "1.2.3", true, ""),
        ] {
            let read = read(text).unwrap_or_else(|error| panic!("{text}: {error:#}"));
            let [control] = &read.controls[..] else { panic!("{text}: one control") };
            assert_eq!((control.oid.as_str(), control.critical), (oid, critical), "{text}");
            let remarks: Vec<_> = read.remarks.iter().map(|(_, remark)| remark.as_str()).collect();
            assert_eq!(remarks.concat(), remark, "{text}");
        }
        let pages = read("!pr=100/noprompt").unwrap().pages;
        assert_eq!(pages, Some(Pages { size: 100, critical: true }));
        let sync = read("sync=rp/rid=000/7").unwrap();
        assert_eq!((sync.persists, sync.size_limit), (true, Some(7)));
        let request = SyncRequest::parse(&sync.controls[0]).unwrap();
        assert_eq!(request.cookie.as_deref(), Some(&b"rid=000"[..]));
    }

    #[test]
    fn nothing_is_asked_for_twice() {
        for (one, other) in [
            ("pr=3", "pr=4"),
            ("domainScope", "!domainScope"),
            ("sync=ro", "sync=rp"),
            ("1.2.3", "1.2.3=:text"),
            ("sss=uid", "sss=cn"),
        ] {
            let error = Extensions::read(&[one.to_owned(), other.to_owned()]).expect_err(one);
            assert!(format!("{error:#}").contains("before"), "{error:#}");
        }
        assert!(Extensions::read(&["pr=3".to_owned(), "sss=uid".to_owned()]).is_ok());
    }

    #[test]
    fn what_is_no_extension_is_told() {
        for text in [
            "nonsense",
            "pr=0",
            "pr=x",
            "pr=5/later",
            "dontUseCopy",
            "sss=",
            "vlv=1/2",
            "vlv=1/2/3",
            "sync=xx",
            "subentries=x",
            "deref=member",
            "mv=(cn=a",
            "ps=any/0/1",
            "ps=16/0/0",
            "!dirSync=4/0",
            "1.2.x",
            "1.2=x",
        ] {
            let error = read(text).expect_err(text);
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
