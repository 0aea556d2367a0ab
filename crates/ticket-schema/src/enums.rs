//! The fixed texts of the contract: what a ticket may say, letter for letter, and the SLA targets that go with it.

/// A text that is not one of a field's fixed texts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {field}; expected one of {expected}")]
pub struct UnknownText {
    /// The field the text was meant for.
    pub field: &'static str,
    /// The text as it came.
    pub text: String,
    /// The texts that would have been right, separated by commas.
    pub expected: String,
}

/// An enum whose values are fixed texts.
pub trait StringEnum: Copy + std::fmt::Debug + 'static {
    /// What its values are called: `severity`.
    const FIELD: &'static str;
    /// Every value, in the contract's order.
    const VALUES: &'static [Self];

    /// The value for a text.
    fn parse(text: &str) -> Result<Self, UnknownText>;

    /// Its text.
    fn text(self) -> &'static str;

    /// Its place in [`VALUES`](Self::VALUES).
    fn index(self) -> usize;
}

/// Declares an enum whose variants are fixed texts: in JSON, in Parquet, on screen and when parsed.
#[macro_export]
macro_rules! string_enum {
    ($(#[$meta:meta])* $name:ident ($field:literal) { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every value, in the contract's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The contract's text for this value.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The value for a text, or `None` if the contract has no such text.
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
    /// How bad it is. The order is from worst to mildest.
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
    /// How long a ticket of this severity may take to be resolved, in hours.
    pub const fn sla_target_hours(self) -> u32 {
        match self {
            Self::P1 => 4,
            Self::P2 => 8,
            Self::P3 => 48,
            Self::P4 => 120,
        }
    }

    /// [`sla_target_hours`](Self::sla_target_hours) in seconds.
    pub const fn sla_target_seconds(self) -> i64 {
        self.sla_target_hours() as i64 * 3600
    }
}

string_enum! {
    /// Where a ticket stands in its life.
    Status("status") {
        /// Nobody has answered yet.
        Open = "Open",
        /// Somebody works on it.
        InProgress = "In Progress",
        /// Work rests: for a part, or for the customer.
        Waiting = "Waiting",
        /// Solved, and the customer may still object.
        Resolved = "Resolved",
        /// Solved for good.
        Closed = "Closed",
    }
}

impl Status {
    /// Whether `resolved_at` is set: exactly for `Resolved` and `Closed`.
    pub const fn is_resolved(self) -> bool {
        matches!(self, Self::Resolved | Self::Closed)
    }
}

string_enum! {
    /// What is wrong with the car, or asked about it.
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
    /// How the customer reached us.
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
