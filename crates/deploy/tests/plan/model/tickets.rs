//! Desired data sets.

use std::collections::BTreeMap;

use aws::s3::upload::{Content, Upload};
use deploy::apply::text_upload;
use deploy::definitions::Role;
use deploy::definitions::desired::{DataSet, Desired, key_of, market_partition};
use serde_json::{Value, json};
use ticket_schema::names::MANIFEST_FILE;

use super::{Object, bucket, definitions};

/// Raw and curated data set. A number represents the content of a file; contents `10 * n` to `10 * n + 9` have the same
/// size.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tickets {
    /// Contents by name of the raw file.
    pub(crate) raw: BTreeMap<String, u64>,
    /// Contents by market.
    pub(crate) markets: BTreeMap<String, u64>,
    /// Content of the quarantine, if any.
    pub(crate) quarantined: Option<u64>,
}

impl Tickets {
    pub(crate) fn new(raw: &[(&str, u64)], markets: &[(&str, u64)]) -> Self {
        let to_map =
            |pairs: &[(&str, u64)]| pairs.iter().map(|(name, content)| ((*name).to_owned(), *content)).collect();
        Self { raw: to_map(raw), markets: to_map(markets), quarantined: None }
    }

    pub(crate) fn desired(&self) -> Desired {
        let curated = self.markets.iter().map(|(market, content)| (part_of(market), *content));
        let quarantined = self.quarantined.map(|content| ("_quarantine/rejected.jsonl".to_owned(), content));
        let data = vec![
            data_set(Role::Raw, &self.raw),
            data_set(Role::Curated, &curated.chain(quarantined).collect::<BTreeMap<_, _>>()),
        ];
        let partition = |market: &String| market_partition(&bucket(Role::Curated), market);
        let partitions = Some(self.markets.keys().map(partition).collect());
        Desired { definitions: definitions().clone(), data, partitions, dashboard_owner: None }
    }
}

/// Returns the name of the file with the tickets of a market.
pub(crate) fn part_of(market: &str) -> String {
    format!("tickets/market={market}/part-0.parquet")
}

fn data_set(role: Role, files: &BTreeMap<String, u64>) -> DataSet {
    let bucket = bucket(role);
    let object = |(file, content): (&String, &u64)| {
        let Object { bytes, crc64nvme, .. } = Object::of(*content);
        let key = key_of(role, file);
        let content = Content::File(file.into());
        (key.clone(), Upload { bucket: bucket.clone(), key, content, bytes, crc64nvme: crc64nvme.unwrap() })
    };
    let entries: Vec<Value> = files.iter().map(|(name, content)| json!({ "name": name, "rows": content })).collect();
    let manifest = text_upload(&bucket, MANIFEST_FILE, json!({ "files": entries }).to_string());
    DataSet { role, objects: files.iter().map(object).collect(), manifest, bucket }
}
