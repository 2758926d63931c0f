//! XML of a camera as a tree of elements by their local names; which prefix a camera binds to which
//! namespace differs from make to make. No I/O. It must never build more than it is told to: depth
//! and number of elements are limited, and no entity of a document's own is resolved.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use thiserror::Error;

/// Deepest nesting; SOAP with notifications has about 10.
const DEEPEST: usize = 32;
/// Most elements of a document.
const MOST: usize = 20_000;

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Name without prefix.
    pub name: String,
    /// Attributes by their names without prefix.
    pub attributes: Vec<(String, String)>,
    /// Its own text.
    pub text: String,
    /// Elements in it.
    pub children: Vec<Element>,
}

/// Not a document that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it sent no sound XML")]
pub struct BadXml;

impl Element {
    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first element down a path of names.
    pub fn at(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a document; the result is its root element.
///
/// # Errors
/// [`BadXml`].
pub fn parse(text: &str) -> Result<Element, BadXml> {
    let mut reader = Reader::from_str(text);
    // The open elements; the first is the document itself.
    let mut open = vec![Element::default()];
    let mut count = 0;
    loop {
        match reader.read_event().map_err(|_| BadXml)? {
            Event::Start(start) => {
                count += 1;
                open.push(begun(&start)?);
                if open.len() > DEEPEST || count > MOST {
                    return Err(BadXml);
                }
            }
            Event::Empty(start) => {
                count += 1;
                if count > MOST {
                    return Err(BadXml);
                }
                let element = begun(&start)?;
                open.last_mut().ok_or(BadXml)?.children.push(element);
            }
            Event::End(_) => {
                let mut element = open.pop().ok_or(BadXml)?;
                element.text = element.text.trim().to_owned();
                open.last_mut().ok_or(BadXml)?.children.push(element);
            }
            Event::Text(text) => {
                open.last_mut().ok_or(BadXml)?.text.push_str(&text.xml10_content());
            }
            Event::CData(text) => {
                open.last_mut().ok_or(BadXml)?.text.push_str(&text.xml10_content());
            }
            Event::GeneralRef(name) => {
                let character = match name.resolve_char_ref().map_err(|_| BadXml)? {
                    Some(character) => character,
                    None => predefined(&name).ok_or(BadXml)?,
                };
                open.last_mut().ok_or(BadXml)?.text.push(character);
            }
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    let mut document = open.pop().filter(|_| open.is_empty()).ok_or(BadXml)?;
    document.children.pop().ok_or(BadXml)
}

/// The five entities that every document has.
fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

fn begun(start: &BytesStart<'_>) -> Result<Element, BadXml> {
    let mut element =
        Element { name: start.local_name().as_ref().to_owned(), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| BadXml)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| BadXml)?;
        let name = attribute.key.local_name().as_ref().to_owned();
        element.attributes.push((name, value.into_owned()));
    }
    Ok(element)
}

/// Text as it may stand in XML.
pub fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
