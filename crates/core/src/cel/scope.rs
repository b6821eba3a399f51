//! What an expression may name: one variable, its fields, and what is known of their values.

/// The kind of a value, as far as it is known before there is one.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Bool,
    Number,
    Text,
    Null,
    List(Box<Kind>),
    /// Keys are texts.
    Map(Box<Kind>),
    /// Fields that are known by name.
    Object(&'static [Field]),
    /// Not known before it is evaluated.
    Any,
}

impl Kind {
    /// For messages: `a text`, `a list of numbers`.
    pub fn words(&self) -> String {
        match self {
            Kind::Bool => "true or false".to_owned(),
            Kind::Number => "a number".to_owned(),
            Kind::Text => "a text".to_owned(),
            Kind::Null => "null".to_owned(),
            Kind::List(of) => format!("a list ({} each)", of.words()),
            Kind::Map(of) => format!("a map ({} each)", of.words()),
            Kind::Object(_) => "an object".to_owned(),
            Kind::Any => "anything".to_owned(),
        }
    }

    /// Whether a value may be of both kinds.
    pub(super) fn fits(&self, other: &Kind) -> bool {
        match (self, other) {
            (Kind::Any, _) | (_, Kind::Any) => true,
            (Kind::List(one), Kind::List(other)) | (Kind::Map(one), Kind::Map(other)) => {
                one.fits(other)
            }
            (one, other) => one == other,
        }
    }
}

/// One field of the variable.
#[derive(Debug, PartialEq)]
pub struct Field {
    pub name: &'static str,
    pub kind: FieldKind,
    /// For help texts and the schema.
    pub summary: &'static str,
}

/// Kinds that can stand in a constant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldKind {
    Text,
    /// One of these words and no other.
    Word(&'static [&'static str]),
    /// The name of an alert source.
    Source,
    /// A map from text to text, such as labels.
    Texts,
    Number,
    /// A map of which nothing is known before.
    Anything,
}

impl FieldKind {
    pub(super) fn kind(self) -> Kind {
        match self {
            FieldKind::Text | FieldKind::Word(_) | FieldKind::Source => Kind::Text,
            FieldKind::Texts => Kind::Map(Box::new(Kind::Text)),
            FieldKind::Number => Kind::Number,
            FieldKind::Anything => Kind::Any,
        }
    }

    /// The only values that the field can have, where that is known.
    pub fn words(self) -> Option<Vec<&'static str>> {
        match self {
            FieldKind::Word(words) => Some(words.to_vec()),
            FieldKind::Source => Some(
                crate::sources::SOURCES
                    .iter()
                    .map(|source| source.name())
                    .chain(std::iter::once("firebreak"))
                    .collect(),
            ),
            FieldKind::Text | FieldKind::Texts | FieldKind::Number | FieldKind::Anything => None,
        }
    }
}

/// The one variable that an expression may name.
#[derive(Debug, PartialEq)]
pub struct Scope {
    pub variable: &'static str,
    pub fields: &'static [Field],
}

impl Scope {
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// `alert`: what the expressions of a runbook look at. Only firing alerts are shown to them.
pub const ALERT: Scope = Scope {
    variable: "alert",
    fields: &[
        Field {
            name: "source",
            kind: FieldKind::Source,
            summary: "who sent it, such as `sumologic`",
        },
        Field { name: "name", kind: FieldKind::Text, summary: "the rule or monitor that fired" },
        Field { name: "status", kind: FieldKind::Word(&["firing"]), summary: "always `firing`" },
        Field {
            name: "severity",
            kind: FieldKind::Word(&["info", "warning", "error", "critical"]),
            summary: "how bad the sender says it is",
        },
        Field {
            name: "service",
            kind: FieldKind::Text,
            summary: "`unknown` where the sender does not say",
        },
        Field { name: "title", kind: FieldKind::Text, summary: "one line for people" },
        Field { name: "labels", kind: FieldKind::Texts, summary: "the sender's labels, by name" },
        Field {
            name: "annotations",
            kind: FieldKind::Texts,
            summary: "the sender's texts, by name",
        },
    ],
};
