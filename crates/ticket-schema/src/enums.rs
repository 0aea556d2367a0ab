//! The enums of the contract, with their texts, and the SLA targets.
//!
//! [`string_enum!`](crate::string_enum) declares each text once; JSON, Parquet, messages and parsing use it. (The crate
//! `strum` would need each text twice, once for itself and once for serde.)
//!
//! ```
//! use ticket_schema::enums::Status;
//!
//! assert_eq!(Status::InProgress.as_str(), "In Progress");
//! assert!("Done".parse::<Status>().is_err());
//! ```

/// Error for a text that is not one of an enum's texts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {field}; expected one of {expected}")]
pub struct UnknownText {
    /// Field that the text was given for.
    pub field: &'static str,
    /// The text.
    pub text: String,
    /// Valid texts, separated by commas.
    pub expected: String,
}

/// An enum of which each value has a text.
pub trait StringEnum: Copy + std::fmt::Debug + 'static {
    /// Name of the enum's values in messages: `severity`.
    const FIELD: &'static str;
    /// All values, in the contract's order.
    const VALUES: &'static [Self];
    /// Texts of [`VALUES`](Self::VALUES), in the same order.
    const TEXTS: &'static [&'static str];

    /// Parses a text.
    ///
    /// # Errors
    ///
    /// If it is not one of [`TEXTS`](Self::TEXTS).
    fn parse(text: &str) -> Result<Self, UnknownText>;

    /// Returns the text of the value.
    fn text(self) -> &'static str;

    /// Returns the position in [`VALUES`](Self::VALUES).
    fn index(self) -> usize;
}

/// Declares an enum with a text for each variant, which JSON, Parquet, messages and parsing use.
///
/// The enum implements [`StringEnum`](crate::enums::StringEnum), `Display`, `FromStr`, `Serialize` and `Deserialize`, and has
/// `ALL`, `as_str` and `from_text`. The calling crate needs `serde` as a dependency.
#[macro_export]
macro_rules! string_enum {
    ($(#[$meta:meta])* $name:ident ($field:literal) { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// All values, in the contract's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the text of the value.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// Returns the value of a text, or `None` if no value has it.
            pub fn from_text(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl $crate::enums::StringEnum for $name {
            const FIELD: &'static str = $field;
            const VALUES: &'static [Self] = Self::ALL;
            const TEXTS: &'static [&'static str] = &[$($text),+];

            fn parse(text: &str) -> Result<Self, $crate::enums::UnknownText> {
                text.parse()
            }

            fn text(self) -> &'static str {
                self.as_str()
            }

            fn index(self) -> usize {
                self as usize
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::enums::UnknownText;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::from_text(text).ok_or_else(|| $crate::enums::UnknownText {
                    field: $field,
                    text: text.to_owned(),
                    expected: [$($text),+].join(", "),
                })
            }
        }
    };
}

string_enum! {
    /// Urgency of a ticket, most urgent first.
    Severity("severity") {
        /// Critical.
        P1 = "P1",
        /// High.
        P2 = "P2",
        /// Medium.
        P3 = "P3",
        /// Low.
        P4 = "P4",
    }
}

impl Severity {
    /// Returns the SLA target: the longest time to resolution, in hours.
    pub const fn sla_target_hours(self) -> u32 {
        match self {
            Self::P1 => 4,
            Self::P2 => 8,
            Self::P3 => 48,
            Self::P4 => 120,
        }
    }

    /// Returns [`sla_target_hours`](Self::sla_target_hours) in seconds.
    pub const fn sla_target_seconds(self) -> i64 {
        self.sla_target_hours() as i64 * 3600
    }
}

string_enum! {
    /// State of the work on a ticket.
    Status("status") {
        /// Not answered yet.
        Open = "Open",
        /// In work.
        InProgress = "In Progress",
        /// Paused until a part arrives or the customer answers.
        Waiting = "Waiting",
        /// Solved; the customer may still re-open it.
        Resolved = "Resolved",
        /// Solved, and final.
        Closed = "Closed",
    }
}

impl Status {
    /// Returns whether `resolved_at` is set: exactly for `Resolved` and `Closed`.
    pub const fn is_resolved(self) -> bool {
        matches!(self, Self::Resolved | Self::Closed)
    }
}

string_enum! {
    /// Subject of a ticket.
    #[allow(missing_docs, reason = "each variant is its own text")]
    Category("category") {
        Engine = "Engine",
        Electrical = "Electrical",
        IDrive = "iDrive",
        Brake = "Brake",
        Recall = "Recall",
        Suspension = "Suspension",
        Climate = "Climate",
        Bodywork = "Bodywork",
        Warranty = "Warranty",
        Other = "Other",
    }
}

string_enum! {
    /// Channel by which the customer reached us.
    #[allow(missing_docs, reason = "each variant is its own text")]
    Channel("channel") {
        Phone = "Phone",
        Email = "Email",
        DealerPortal = "Dealer Portal",
        BmwApp = "BMW App",
        WalkIn = "Walk-In",
    }
}

string_enum! {
    /// The ten markets that tickets are generated for, as ISO 3166-1 alpha-2 codes.
    #[allow(missing_docs, reason = "each variant is its own text")]
    Market("market") {
        De = "DE",
        Us = "US",
        Gb = "GB",
        Cn = "CN",
        Fr = "FR",
        It = "IT",
        Jp = "JP",
        Kr = "KR",
        Au = "AU",
        Ae = "AE",
    }
}
