//! Closed vocabularies: enums whose words are those of the specification, on paper and in JSON.

/// Declares a public enum of words, with its JSON form, `ALL`, `name()`, `Display` and `FromStr`.
macro_rules! vocabulary {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every word, in the order of the specification.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word as it stands in a record.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::error::Error;

            fn from_str(word: &str) -> crate::error::Result<Self> {
                Self::ALL.iter().copied().find(|w| w.name() == word).ok_or_else(|| {
                    crate::error::Error::new(
                        crate::error::ErrorKind::Malformed,
                        format!("`{}` is none of {}; write one of them", word.escape_debug(), [$($word),+].join(", ")),
                    )
                })
            }
        }
    };
}

pub(crate) use vocabulary;
