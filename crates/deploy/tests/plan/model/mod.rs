//! Model of AWS for plans: the state that `observe` reads, and operations with the preconditions of AWS.

mod operations;
mod tickets;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use aws::athena::workgroups::Workgroup;
use aws::glue::{Partition, Table};
use aws::s3::bucket_api::BucketState;
use aws::s3::bucket_settings::{BucketSettings, Setting};
use aws::s3::objects::ObjectState;
use aws::s3::upload::{Content, Upload};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use deploy::definitions::ddl;
use deploy::definitions::desired::Desired;
use deploy::definitions::scope::Scope;
use deploy::definitions::{Definitions, Role, bucket_name};
use deploy::observe::view;
use deploy::observe::{Actual, Contents, PENDING_MANIFEST};
use deploy::plan::destroy::plan_destroy;
use deploy::plan::{Plan, plan};
use serde_json::json;
use ticket_schema::names::{DATABASE, MANIFEST_FILE, TABLE, VIEW};

pub(crate) use operations::{Op, ops};
pub(crate) use tickets::{Tickets, part_of};

pub(crate) const ACCOUNT: &str = "123456789012";

static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| Definitions::load(ACCOUNT, "eu-central-1").unwrap());

pub(crate) fn definitions() -> &'static Definitions {
    &DEFINITIONS
}

pub(crate) fn bucket(role: Role) -> String {
    bucket_name(role, ACCOUNT)
}

/// Object in a bucket.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    pub(crate) bytes: u64,
    pub(crate) crc64nvme: Option<String>,
    /// Text of a manifest.
    pub(crate) text: Option<String>,
    /// True for an object that `deploy` didn't write.
    pub(crate) is_unmanaged: bool,
}

impl Object {
    pub(crate) fn of(content: u64) -> Self {
        let bytes = 1000 * (content / 10 + 1);
        Self { bytes, crc64nvme: Some(format!("crc-{content}")), text: None, is_unmanaged: false }
    }

    pub(crate) fn unmanaged(content: u64) -> Self {
        Self { is_unmanaged: true, ..Self::of(content) }
    }
}

/// Bucket.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) settings: BucketSettings,
    pub(crate) objects: BTreeMap<String, Object>,
}

/// State of the account.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cloud {
    pub(crate) buckets: BTreeMap<String, Bucket>,
    /// Buckets with desired names in other regions or accounts.
    pub(crate) inaccessible: BTreeMap<String, BucketState>,
    pub(crate) workgroup: Option<Workgroup>,
    pub(crate) has_database: bool,
    pub(crate) tables: BTreeMap<String, Table>,
    /// Locations of partitions, by values.
    pub(crate) partitions: BTreeMap<Vec<String>, String>,
}

impl Cloud {
    /// Returns an account after a complete deploy of these tickets.
    pub(crate) fn deployed(tickets: &Tickets) -> Self {
        let mut cloud = Self::default();
        cloud.deploy(tickets);
        cloud
    }

    pub(crate) fn plan(&self, tickets: &Tickets, scope: Scope) -> Plan {
        let desired = tickets.desired();
        plan(&desired, &self.observe(&desired, scope), scope)
    }

    /// Runs a complete deploy.
    pub(crate) fn deploy(&mut self, tickets: &Tickets) {
        let plan = self.plan(tickets, Scope::ALL);
        self.run(&ops(&plan, 0));
    }

    pub(crate) fn plan_destroy(&self) -> Plan {
        plan_destroy(definitions(), &self.observe_for_destroy())
    }

    pub(crate) fn bucket(&mut self, role: Role) -> &mut Bucket {
        self.buckets.get_mut(&bucket(role)).unwrap()
    }

    pub(crate) fn put(&mut self, role: Role, key: &str, object: Object) {
        self.bucket(role).objects.insert(key.to_owned(), object);
    }

    /// Returns the keys in a bucket; empty if there is no bucket.
    pub(crate) fn keys(&self, role: Role) -> BTreeSet<String> {
        self.buckets.get(&bucket(role)).map(|bucket| bucket.objects.keys().cloned().collect()).unwrap_or_default()
    }

    /// Reads the actual state from the model, as `deploy::observe::observe` does from AWS.
    pub(crate) fn observe(&self, desired: &Desired, scope: Scope) -> Actual {
        let mut actual = Actual { buckets: self.observe_buckets(), ..Actual::default() };
        if scope.data {
            for data in &desired.data {
                let Some(bucket) = self.buckets.get(&data.bucket) else { continue };
                let mut contents = bucket.contents(&data.bucket, data.role);
                let uploads = data.objects.values().chain([&data.manifest]);
                for upload in uploads.filter(|upload| contents.keys.get(&upload.key) == Some(&upload.bytes)) {
                    let Object { bytes, crc64nvme, .. } = bucket.objects[&upload.key].clone();
                    contents.states.insert(upload.key.clone(), ObjectState { bytes, crc64nvme });
                }
                actual.contents.insert(data.bucket.clone(), contents);
            }
        }
        if scope.catalog {
            self.observe_catalog(&mut actual);
        }
        actual
    }

    fn observe_for_destroy(&self) -> Actual {
        let mut actual = Actual { buckets: self.observe_buckets(), ..Actual::default() };
        for definition in &definitions().buckets {
            let Some(bucket) = self.buckets.get(&definition.name) else { continue };
            let mut contents = bucket.contents(&definition.name, definition.role);
            if definition.role == Role::Results {
                contents.in_manifest =
                    contents.keys.keys().filter(|key| key.starts_with("results/")).cloned().collect();
            }
            actual.contents.insert(definition.name.clone(), contents);
        }
        self.observe_catalog(&mut actual);
        actual
    }

    fn observe_buckets(&self) -> BTreeMap<String, BucketState> {
        let state = |name: &String| match (self.buckets.get(name), self.inaccessible.get(name)) {
            (Some(bucket), _) => BucketState::Exists(Box::new(bucket.settings.clone())),
            (None, Some(state)) => state.clone(),
            (None, None) => BucketState::Missing,
        };
        definitions().buckets.iter().map(|bucket| (bucket.name.clone(), state(&bucket.name))).collect()
    }

    fn observe_catalog(&self, actual: &mut Actual) {
        actual.workgroup.clone_from(&self.workgroup);
        actual.has_database = self.has_database;
        actual.tables = self.tables.clone();
        let partition = |(values, location): (&Vec<String>, &String)| Partition {
            values: values.clone(),
            location: location.clone(),
        };
        actual.partitions = self.partitions.iter().map(partition).collect();
    }

    /// Applies the operations of a deploy. Checks after each one that all objects of the manifests exist, and that all
    /// managed objects are in a manifest or pending manifest.
    pub(crate) fn run(&mut self, ops: &[Op]) {
        let missing_before = self.missing();
        for op in ops {
            self.apply(op);
            let missing = self.missing();
            assert!(missing.is_subset(&missing_before), "objects of a manifest are missing after {op:?}: {missing:?}");
            if let Op::Put(upload) = op
                && upload.key == MANIFEST_FILE
            {
                assert!(!missing.iter().any(|(bucket, _)| *bucket == upload.bucket), "{missing:?} at {op:?}");
            }
            let unlisted = self.unlisted();
            assert!(unlisted.is_empty(), "managed objects are in no manifest after {op:?}: {unlisted:?}");
        }
    }

    /// Applies the operations of a destroy, which deletes objects before the manifest that lists them.
    pub(crate) fn run_destroy(&mut self, ops: &[Op]) {
        for op in ops {
            self.apply(op);
            let unlisted = self.unlisted();
            assert!(unlisted.is_empty(), "managed objects are in no manifest after {op:?}: {unlisted:?}");
        }
    }

    /// Applies an operation. Fails if AWS would reject it, or if it changes an unmanaged object.
    fn apply(&mut self, op: &Op) {
        match op {
            Op::CreateBucket(name) => {
                assert!(!self.buckets.contains_key(name) && !self.inaccessible.contains_key(name), "{name} exists");
                self.buckets.insert(name.clone(), Bucket::default());
            }
            Op::Set(name, setting, desired) => {
                let settings = &mut self.buckets.get_mut(name).unwrap().settings;
                set(settings, *setting, desired);
            }
            Op::Put(upload) => self.apply_put(upload),
            Op::Delete(name, key) => {
                let objects = &mut self.buckets.get_mut(name).unwrap().objects;
                let deleted = objects.remove(key);
                assert!(!deleted.is_some_and(|object| object.is_unmanaged), "s3://{name}/{key} is unmanaged");
            }
            Op::DeleteBucket(name) => assert_eq!(self.buckets.remove(name).unwrap().objects, BTreeMap::new()),
            Op::CreateWorkgroup(desired) => assert!(self.workgroup.replace((**desired).clone()).is_none()),
            Op::ConfigureWorkgroup(desired) => {
                let actual = self.workgroup.as_mut().unwrap();
                actual.description.clone_from(&desired.description);
                actual.configuration = desired.configuration.clone();
            }
            Op::TagWorkgroup(tags) => {
                let actual = &mut self.workgroup.as_mut().unwrap().tags;
                actual.retain(|tag| tags.iter().all(|desired| desired.key != tag.key));
                actual.extend(tags.iter().cloned());
                actual.sort();
            }
            Op::DeleteWorkgroup => assert!(self.workgroup.take().is_some()),
            Op::CreateDatabase => {
                self.assert_can_run_statements();
                assert!(!std::mem::replace(&mut self.has_database, true));
            }
            Op::CreateTable(name, statement) => {
                self.assert_can_run_statements();
                assert!(self.has_database);
                let mut table = ddl::table_definition(statement.clone()).unwrap().table;
                table.parameters.insert("EXTERNAL".to_owned(), "TRUE".to_owned());
                table.serde_parameters.insert("serialization.format".to_owned(), "1".to_owned());
                assert!(
                    self.tables.insert(name.clone(), table).is_none(),
                    "IF NOT EXISTS would keep the existing {name}"
                );
            }
            Op::DropTable(name) => {
                assert!(self.tables.remove(name).is_some());
                if name == TABLE {
                    self.partitions.clear();
                }
            }
            Op::CreateView(statement) => {
                self.assert_can_run_statements();
                assert!(self.has_database && self.tables.contains_key(TABLE));
                let earlier = self.tables.insert(VIEW.to_owned(), stored_view(statement));
                assert!(earlier.as_ref().is_none_or(view::is_replaceable), "Athena replaces its own views only");
            }
            Op::SetViewFingerprint(statement) => {
                let stored = self.tables.get_mut(VIEW).unwrap();
                if !view::has_same_text(statement, stored) {
                    stored.parameters.insert(view::FINGERPRINT.to_owned(), view::fingerprint(statement, stored));
                }
            }
            Op::AddPartition(partition) => {
                assert!(self.tables.contains_key(TABLE));
                let earlier = self.partitions.insert(partition.values.clone(), partition.location.clone());
                assert_eq!(earlier, None, "Glue rejects an existing partition");
            }
            Op::RemovePartition(partition) => assert!(self.partitions.remove(&partition.values).is_some()),
            Op::DeleteDatabase => {
                assert_eq!(self.tables, BTreeMap::new(), "Glue would delete them with {DATABASE}");
                assert!(std::mem::replace(&mut self.has_database, false));
            }
        }
    }

    fn apply_put(&mut self, upload: &Upload) {
        let objects = &mut self.buckets.get_mut(&upload.bucket).unwrap().objects;
        let Upload { bucket, key, content, bytes, crc64nvme } = upload.clone();
        let text = if let Content::Text(text) = content { Some(text) } else { None };
        let object = Object { bytes, crc64nvme: Some(crc64nvme), text, is_unmanaged: false };
        let earlier = objects.insert(key.clone(), object);
        assert!(!earlier.is_some_and(|object| object.is_unmanaged), "s3://{bucket}/{key} is unmanaged");
        if key == MANIFEST_FILE {
            // The manifest makes existing objects with the desired content managed.
            let role = if bucket == bucket_name(Role::Raw, ACCOUNT) { Role::Raw } else { Role::Curated };
            let in_manifest = self.buckets[&bucket].contents(&bucket, role).in_manifest;
            let objects = self.buckets.get_mut(&bucket).unwrap().objects.iter_mut();
            for (_, object) in objects.filter(|(key, _)| in_manifest.contains(*key)) {
                object.is_unmanaged = false;
            }
        }
    }

    /// Checks the preconditions of statements on Athena: the workgroup and the bucket for results exist.
    fn assert_can_run_statements(&self) {
        assert!(self.workgroup.is_some() && self.buckets.contains_key(&bucket(Role::Results)));
    }

    /// Returns the keys that a manifest in a bucket lists but the bucket doesn't contain.
    pub(crate) fn missing(&self) -> BTreeSet<(String, String)> {
        let mut missing = BTreeSet::new();
        for role in [Role::Raw, Role::Curated] {
            let name = bucket(role);
            let Some(bucket) = self.buckets.get(&name) else { continue };
            let listed = bucket.contents(&name, role).in_manifest.into_iter();
            missing.extend(listed.filter(|key| !bucket.objects.contains_key(key)).map(|key| (name.clone(), key)));
        }
        missing
    }

    /// Returns managed objects that neither a manifest nor a pending manifest lists.
    fn unlisted(&self) -> Vec<String> {
        let mut unlisted = Vec::new();
        for role in [Role::Raw, Role::Curated] {
            let name = bucket(role);
            let Some(bucket) = self.buckets.get(&name) else { continue };
            let contents = bucket.contents(&name, role);
            let is_listed = |key: &str| {
                contents.in_manifest.contains(key)
                    || contents.in_pending_manifest.contains(key)
                    || key == MANIFEST_FILE
                    || key == PENDING_MANIFEST
            };
            let managed = bucket.objects.iter().filter(|(_, object)| !object.is_unmanaged).map(|(key, _)| key);
            unlisted.extend(managed.filter(|key| !is_listed(key)).cloned());
        }
        unlisted
    }
}

impl Bucket {
    pub(crate) fn contents(&self, bucket: &str, role: Role) -> Contents {
        let keys = self.objects.iter().map(|(key, object)| (key.clone(), object.bytes)).collect();
        let text = |key: &str| self.objects.get(key).filter(|_| role != Role::Results)?.text.as_deref();
        let (manifest, pending_manifest) = (text(MANIFEST_FILE), text(PENDING_MANIFEST));
        Contents::new(bucket, role, keys, manifest.map(str::as_bytes), pending_manifest.map(str::as_bytes)).unwrap()
    }
}

/// Copies one setting of `desired`.
pub(crate) fn set(settings: &mut BucketSettings, setting: Setting, desired: &BucketSettings) {
    let desired = desired.clone();
    match setting {
        Setting::PublicAccessBlock => {
            settings.public_access_block_configuration = desired.public_access_block_configuration;
        }
        Setting::OwnershipControls => settings.ownership_controls = desired.ownership_controls,
        Setting::Encryption => {
            settings.server_side_encryption_configuration = desired.server_side_encryption_configuration;
        }
        Setting::Policy => settings.policy = desired.policy,
        Setting::Lifecycle => settings.lifecycle_configuration = desired.lifecycle_configuration,
        Setting::Tagging => settings.tagging = desired.tagging,
    }
}

/// Returns a view as Athena stores it: its own rendering of the text, in base64.
pub(crate) fn stored_view(statement: &str) -> Table {
    let query = statement.split_once(" AS\n").unwrap().1;
    let rendered = query.replace(",\n ", "\n,").replace("date_diff(", "\"date_diff\"(");
    let json = json!({ "originalSql": rendered, "catalog": "awsdatacatalog" }).to_string();
    let view_text = Some(format!("/* Presto View: {} */", STANDARD.encode(json)));
    Table { view_text, ..Table::default() }
}
