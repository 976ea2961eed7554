//! The claims that grant scopes, as issuers really write them.

use std::borrow::Cow;

use super::{Fault, Reader, Registered};

impl<'a> Registered<'a> {
    /// Reads one claim: a string (RFC 8693 section 4.2), or an array of strings, which several issuers write.
    /// Another type grants nothing, and refuses nothing.
    pub(super) fn read_scope(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        match reader.peek() {
            Some(b'"') => {
                let scopes = reader.string()?;
                self.grant(scopes);
            }
            Some(b'[') => {
                let mut scopes = String::new();
                reader.array(|reader| {
                    if reader.peek() != Some(b'"') {
                        return reader.value().map(drop);
                    }
                    let scope = reader.string()?;
                    // A space would make two of it.
                    if !scope.contains(' ') {
                        join(&mut scopes, &scope);
                    }
                    Ok(())
                })?;
                self.grant(Cow::Owned(scopes));
            }
            _ => drop(reader.value()?),
        }
        Ok(())
    }

    /// Adds the scopes of one claim to those of the others.
    fn grant(&mut self, scopes: Cow<'a, str>) {
        match &mut self.scope {
            None => self.scope = Some(scopes),
            Some(all) => join(all.to_mut(), &scopes),
        }
    }
}

fn join(all: &mut String, more: &str) {
    if !all.is_empty() && !more.is_empty() {
        all.push(' ');
    }
    all.push_str(more);
}
