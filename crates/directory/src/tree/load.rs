//! LDIF into the tree.

use proto::{Dn, Rdn, ldif};

use super::node::{Attribute, Attributes, Id};
use super::{Tree, complete, uuid};
use crate::LoadError;

impl Tree {
    /// Adds the records of a file; parents that it leaves out are made. `now` is the timestamp of the entries.
    pub(crate) fn load(&mut self, text: &[u8], now: &str, limit: usize) -> Result<(), LoadError> {
        for record in ldif::parse(text) {
            let record = record.map_err(LoadError::Ldif)?;
            let line = record.line;
            let dn = Dn::parse(&record.dn).map_err(|source| LoadError::Name {
                line,
                dn: record.dn.clone(),
                source,
            })?;
            if dn.is_root() {
                return Err(LoadError::Root { line });
            }
            let mut attributes = Attributes::default();
            for (name, values) in &record.attributes {
                let attribute = Attribute::parse(name)
                    .ok_or_else(|| LoadError::Attribute { line, attribute: name.clone() })?;
                attributes.merge(attribute, values);
            }
            complete(&mut attributes, dn.rdns().first(), &uuid(&dn, 0), now);
            self.place(dn, attributes, now)
                .map_err(|dn| LoadError::Duplicate { line, dn: dn.as_str().to_owned() })?;
            if self.len() > limit {
                return Err(LoadError::TooMany { line, limit });
            }
        }
        Ok(())
    }

    fn place(&mut self, dn: Dn, attributes: Attributes, now: &str) -> Result<(), Dn> {
        if let Some(node) = self.find(&dn) {
            let (id, made) = (node.id, node.made);
            if !made {
                return Err(dn);
            }
            self.replace(id, attributes);
            self.node_mut(id).made = false;
            return Ok(());
        }
        let parent = self.make_parents(&dn, now);
        let id = self.insert(dn, parent, attributes);
        if parent.is_none() {
            self.gather(id, now);
        }
        Ok(())
    }

    /// Makes what is missing between an entry and the lowest one above it, or its naming context.
    fn make_parents(&mut self, dn: &Dn, now: &str) -> Option<Id> {
        let mut missing = Vec::new();
        let mut above = dn.parent().filter(|above| !above.is_root());
        let mut parent = None;
        let known = self.has_ancestor(dn);
        let context = context_length(dn);
        while let Some(dn) = above {
            if let Some(node) = self.find(&dn) {
                parent = Some(node.id);
                break;
            }
            if !known && dn.rdns().len() < context {
                break;
            }
            above = dn.parent().filter(|above| !above.is_root());
            missing.push(dn);
        }
        for dn in missing.into_iter().rev() {
            let mut attributes = Attributes::default();
            attributes.set("objectClass", dn.rdns().first().map_or("top", class_of));
            complete(&mut attributes, dn.rdns().first(), &uuid(&dn, 0), now);
            let id = self.insert(dn, parent, attributes);
            self.node_mut(id).made = true;
            parent = Some(id);
        }
        parent
    }

    fn has_ancestor(&self, dn: &Dn) -> bool {
        self.suffixes().any(|suffix| dn.is_below(suffix))
    }

    /// Takes naming contexts that came earlier, and belong below a new one, into it.
    fn gather(&mut self, suffix: Id, now: &str) {
        let Some(dn) = self.get(suffix).map(|node| node.dn.clone()) else { return };
        let below: Vec<(Id, Dn)> = self
            .suffixes
            .iter()
            .filter_map(|id| Some((*id, self.get(*id)?.dn.clone())))
            .filter(|(_, other)| other.is_below(&dn))
            .collect();
        for (id, dn) in below {
            let parent = self.make_parents(&dn, now);
            self.disown(None, id);
            self.adopt(parent, id);
            self.node_mut(id).parent = parent;
        }
    }
}

/// How many parts the naming context of a name has: its run of `dc` at the end, or one.
fn context_length(dn: &Dn) -> usize {
    dn.rdns().iter().rev().take_while(|rdn| is(rdn, &["dc", "domainComponent"])).count().max(1)
}

/// The class of an entry that is made for its name's sake.
fn class_of(rdn: &Rdn) -> &'static str {
    let classes: &[(&[&str], &str)] = &[
        (&["dc", "domainComponent"], "domain"),
        (&["ou", "organizationalUnitName"], "organizationalUnit"),
        (&["o", "organizationName"], "organization"),
        (&["c", "countryName"], "country"),
        (&["l", "localityName"], "locality"),
    ];
    classes.iter().find(|(names, _)| is(rdn, names)).map_or("extensibleObject", |(_, class)| class)
}

fn is(rdn: &Rdn, names: &[&str]) -> bool {
    rdn.avas().first().is_some_and(|ava| names.iter().any(|name| name.eq_ignore_ascii_case(ava.attribute())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(texts: &[&str]) -> Tree {
        let mut tree = Tree::default();
        for text in texts {
            tree.load(text.as_bytes(), "20260101000000Z", 100).unwrap();
        }
        tree
    }

    fn suffixes(tree: &Tree) -> Vec<&str> {
        tree.suffixes().map(Dn::as_str).collect()
    }

    fn parent_of<'t>(tree: &'t Tree, dn: &str) -> Option<&'t str> {
        let node = tree.find(&Dn::parse(dn).unwrap()).unwrap();
        node.parent.map(|id| tree.get(id).unwrap().dn.as_str())
    }

    #[test]
    fn missing_parents_are_made_up_to_the_naming_context() {
        let tree = loaded(&["dn: uid=a,ou=people,dc=example,dc=com\nuid: a\n"]);
        assert_eq!(suffixes(&tree), ["dc=example,dc=com"]);
        assert_eq!(
            parent_of(&tree, "uid=a,ou=people,dc=example,dc=com"),
            Some("ou=people,dc=example,dc=com")
        );
        assert_eq!(tree.len(), 3);
        let tree = loaded(&["dn: cn=x,ou=y,o=z\ncn: x\n"]);
        assert_eq!(suffixes(&tree), ["o=z"]);
        let tree = loaded(&["dn: dc=com\ndc: com\n\ndn: dc=example,dc=com\ndc: example\n"]);
        assert_eq!(suffixes(&tree), ["dc=com"]);
    }

    #[test]
    fn a_made_parent_gives_way_to_the_real_one() {
        let tree = loaded(&[
            "dn: uid=a,dc=example\nuid: a\n\ndn: dc=example\nobjectClass: domain\ndc: example\ndescription: real\n",
        ]);
        let node = tree.find(&Dn::parse("dc=example").unwrap()).unwrap();
        assert_eq!(node.attributes.plain("description"), ["real"]);
        assert_eq!((tree.len(), node.children.len(), node.made), (2, 1, false));
    }

    #[test]
    fn a_naming_context_that_comes_later_takes_in_those_below_it() {
        let tree =
            loaded(&["dn: dc=zone,dc=example,dc=com\ndc: zone\n", "dn: dc=example,dc=com\ndc: example\n"]);
        assert_eq!(suffixes(&tree), ["dc=example,dc=com"]);
        assert_eq!(parent_of(&tree, "dc=zone,dc=example,dc=com"), Some("dc=example,dc=com"));
    }

    #[test]
    fn a_name_that_stands_there_twice_is_told_with_its_line() {
        let mut tree = Tree::default();
        let text = "dn: dc=example\ndc: example\n\ndn: DC=Example\ndc: example\n";
        let error = tree.load(text.as_bytes(), "20260101000000Z", 100).unwrap_err();
        assert_eq!(error.to_string(), "line 4: \"DC=Example\" exists already");
    }

    #[test]
    fn the_uuid_of_an_entry_depends_on_its_name_alone() {
        let uuid = |text: &str| {
            let tree = loaded(&[text]);
            let node = tree.find(&Dn::parse("uid=a,dc=example").unwrap()).unwrap();
            std::str::from_utf8(&node.attributes.plain("entryuuid")[0]).unwrap().to_owned()
        };
        let first = uuid("dn: uid=a,dc=example\nuid: a\n");
        assert_eq!(first, uuid("dn: uid=b,dc=example\nuid: b\n\ndn: UID=A,dc=example\nuid: a\ncn: x\n"));
        assert_eq!((first.len(), first.as_bytes()[14]), (36, b'8'));
        let own = "11111111-2222-3333-4444-555555555555";
        assert_eq!(uuid(&format!("dn: uid=a,dc=example\nuid: a\nentryUUID: {own}\n")), own);
    }
}
