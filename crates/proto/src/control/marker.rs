use super::Control;
use crate::ber::{Error, ErrorKind};

/// Controls without a value, which say all they have to say by being there.
macro_rules! markers {
    ($($(#[$doc:meta])* $name:ident = $oid:literal, $critical:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
            pub struct $name;

            impl $name {
                /// The control's OID.
                pub const OID: &'static str = $oid;

                /// The control that asks for this.
                pub fn to_control(self) -> Control {
                    Control { critical: $critical, ..Control::new($name::OID, None) }
                }

                /// Checks that the control has no value; its OID is not looked at.
                ///
                /// # Errors
                ///
                /// When it has one.
                pub fn parse(control: &Control) -> Result<$name, Error> {
                    has_no_value(control)?;
                    Ok($name)
                }
            }

            impl From<$name> for Control {
                fn from(marker: $name) -> Control {
                    marker.to_control()
                }
            }
        )*

        #[cfg(test)]
        const ALL: &[tests::Marker] =
            &[$(($oid, $critical, || $name.to_control(), |control| $name::parse(control).is_ok())),*];
    };
}

markers! {
    /// ManageDsaIT (RFC 3296): entries that stand for other servers' parts of the tree are treated as any other entry.
    ///
    /// ```
    /// use ldapgate_proto::Control;
    /// use ldapgate_proto::control::ManageDsaIt;
    ///
    /// let control = Control::from(ManageDsaIt).critical();
    /// assert_eq!((control.oid.as_str(), control.critical), (ManageDsaIt::OID, true));
    /// ```
    ManageDsaIt = "2.16.840.1.113730.3.4.2", false;

    /// Tree delete (draft-armijo-ldap-treedelete): an entry goes with everything below it. Critical, so that a server without it
    /// says so.
    TreeDelete = "1.2.840.113556.1.4.805", true;

    /// Don't use copy (RFC 6171): the answer must come from the original, not from a copy of the data. Critical, as the RFC
    /// demands.
    DontUseCopy = "1.3.6.1.1.22", true;

    /// Show deleted objects (MS-ADTS section 3.1.1.3.4.1.14): a search finds what lies in the bin of Active Directory, too.
    ShowDeleted = "1.2.840.113556.1.4.417", true;

    /// Show recycled objects (MS-ADTS section 3.1.1.3.4.1.26): the same, and those that can no longer be brought back.
    ShowRecycled = "1.2.840.113556.1.4.2064", true;

    /// Show deactivated links (MS-ADTS section 3.1.1.3.4.1.25): values that name deleted objects are shown.
    ShowDeactivatedLinks = "1.2.840.113556.1.4.2065", true;

    /// Domain scope (MS-ADTS section 3.1.1.3.4.1.4): Active Directory makes no continuation references.
    DomainScope = "1.2.840.113556.1.4.1339", false;

    /// Permissive modify (MS-ADTS section 3.1.1.3.4.1.8): adding a value that is there, or deleting one that is not, is no error.
    /// OpenLDAP knows it, too.
    PermissiveModify = "1.2.840.113556.1.4.1413", false;

    /// Relax rules (draft-zeilenga-ldap-relax), under OpenLDAP's OID: the server lets an administrator write what it otherwise
    /// writes itself. Critical, as the draft demands.
    Relax = "1.3.6.1.4.1.4203.666.5.12", true;
}

fn has_no_value(control: &Control) -> Result<(), Error> {
    match &control.value {
        // Some clients send an empty one in place of none.
        Some(value) if !value.is_empty() => Err(Error::new(ErrorKind::Trailing, 0)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OID, criticality, and what the two functions do.
    pub(super) type Marker = (&'static str, bool, fn() -> Control, fn(&Control) -> bool);

    #[test]
    fn each_is_its_oid_and_nothing_else() {
        for (oid, critical, made, parse) in ALL {
            let control = made();
            assert_eq!(control, Control { oid: (*oid).to_owned(), critical: *critical, value: None });
            assert!(parse(&control), "{oid}");
            assert!(parse(&Control { value: Some(Default::default()), ..control.clone() }), "{oid}");
            assert!(!parse(&Control { value: Some("\x30\x00".into()), ..control }), "{oid}");
        }
    }
}
