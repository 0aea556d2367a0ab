//! AWS as far as a plan can tell: small enough to be obviously right, and strict where AWS is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use aws::athena::workgroups::Workgroup;
use aws::glue::{Partition, Table};
use aws::s3::bucket_api::BucketState;
use aws::s3::bucket_settings::{BucketSettings, Setting, Tag};
use aws::s3::objects::ObjectState;
use aws::s3::upload::{Content, Upload};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use deploy::apply::text_upload;
use deploy::definitions::ddl;
use deploy::definitions::desired::{DataSet, Desired, key_of, market_partition};
use deploy::definitions::scope::Scope;
use deploy::definitions::{Definitions, Role, bucket_name};
use deploy::observe::view;
use deploy::observe::{Actual, Contents, PENDING_MANIFEST, PendingManifest};
use deploy::plan::destroy::plan_destroy;
use deploy::plan::{Plan, Step, plan};
use serde_json::{Value, json};
use ticket_schema::names::{DATABASE, MANIFEST_FILE, TABLE, VIEW};

pub(crate) const ACCOUNT: &str = "123456789012";

static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| Definitions::load(ACCOUNT, "eu-central-1").unwrap());

pub(crate) fn definitions() -> &'static Definitions {
    &DEFINITIONS
}

pub(crate) fn bucket(role: Role) -> String {
    bucket_name(role, ACCOUNT)
}

/// Two data sets: each raw file, each market and the refused lines with a number that stands for the content. Numbers of the
/// same ten have the same size.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tickets {
    pub(crate) raw: BTreeMap<String, u64>,
    pub(crate) markets: BTreeMap<String, u64>,
    pub(crate) refused: Option<u64>,
}

impl Tickets {
    pub(crate) fn new(raw: &[(&str, u64)], markets: &[(&str, u64)]) -> Self {
        let owned =
            |pairs: &[(&str, u64)]| pairs.iter().map(|(name, content)| ((*name).to_owned(), *content)).collect();
        Self { raw: owned(raw), markets: owned(markets), refused: None }
    }

    pub(crate) fn desired(&self) -> Desired {
        let curated = self.markets.iter().map(|(market, content)| (part_of(market), *content));
        let refused = self.refused.map(|content| ("_quarantine/rejected.jsonl".to_owned(), content));
        let data = vec![
            data_set(Role::Raw, &self.raw),
            data_set(Role::Curated, &curated.chain(refused).collect::<BTreeMap<_, _>>()),
        ];
        let partition = |market: &String| market_partition(&bucket(Role::Curated), market);
        let partitions = Some(self.markets.keys().map(partition).collect());
        Desired { definitions: definitions().clone(), data, partitions, dashboard_owner: None }
    }
}

/// The file of a market's tickets.
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

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    pub(crate) bytes: u64,
    pub(crate) crc64nvme: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) is_foreign: bool,
}

impl Object {
    pub(crate) fn of(content: u64) -> Self {
        let bytes = 1000 * (content / 10 + 1);
        Self { bytes, crc64nvme: Some(format!("crc-{content}")), text: None, is_foreign: false }
    }

    pub(crate) fn foreign(content: u64) -> Self {
        Self { is_foreign: true, ..Self::of(content) }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Store {
    pub(crate) settings: BucketSettings,
    pub(crate) objects: BTreeMap<String, Object>,
}

/// Everything in the account, as AWS keeps it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cloud {
    pub(crate) buckets: BTreeMap<String, Store>,
    /// Buckets of wanted names in other regions or accounts.
    pub(crate) out_of_reach: BTreeMap<String, BucketState>,
    pub(crate) workgroup: Option<Workgroup>,
    pub(crate) has_database: bool,
    pub(crate) tables: BTreeMap<String, Table>,
    /// Locations by values.
    pub(crate) partitions: BTreeMap<Vec<String>, String>,
}

/// An atomic operation of AWS. A step may consist of several.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    CreateBucket(String),
    Set(String, Setting, Box<BucketSettings>),
    Put(Upload),
    Delete(String, String),
    DeleteBucket(String),
    CreateWorkgroup(Box<Workgroup>),
    ConfigureWorkgroup(Box<Workgroup>),
    TagWorkgroup(Vec<Tag>),
    DeleteWorkgroup,
    CreateDatabase,
    CreateTable(String, String),
    DropTable(String),
    CreateView(String),
    MarkView(String),
    AddPartition(Partition),
    RemovePartition(Partition),
    DeleteDatabase,
}

/// Everything that carrying a plan out does. What goes to S3 in one request or side by side happens in an order that only
/// `luck` knows.
pub(crate) fn ops(plan: &Plan, luck: u64) -> Vec<Op> {
    assert!(plan.blockers.is_empty(), "{:?}", plan.blockers);
    let mut all = Vec::new();
    let mut steps = plan.steps.iter().peekable();
    while let Some(step) = steps.next() {
        let mut at_once = ops_of(step);
        if let Step::Upload { upload, .. } = step {
            let goes_along = |next: &&Step| {
                matches!(next, Step::Upload { upload: next, .. }
                    if next.bucket == upload.bucket && next.key != MANIFEST_FILE)
            };
            while let Some(next) = steps.next_if(goes_along) {
                at_once.extend(ops_of(next));
            }
        }
        if matches!(step, Step::Upload { .. } | Step::DeleteObjects { .. } | Step::AddPartitions(_)) {
            shuffle(&mut at_once, luck);
        }
        all.extend(at_once);
    }
    all
}

fn shuffle(ops: &mut [Op], luck: u64) {
    let mut state = luck | 1;
    for i in (1..ops.len()).rev() {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        ops.swap(i, (state >> 33) as usize % (i + 1));
    }
}

fn ops_of(step: &Step) -> Vec<Op> {
    match step.clone() {
        Step::CreateBucket { bucket } => vec![Op::CreateBucket(bucket)],
        Step::SetBucket { bucket, setting, wanted, .. } => vec![Op::Set(bucket, setting, wanted)],
        Step::WritePendingManifest { bucket, keys } => {
            let announcement = PendingManifest { note: String::new(), keys };
            vec![Op::Put(text_upload(&bucket, PENDING_MANIFEST, serde_json::to_string(&announcement).unwrap()))]
        }
        Step::Upload { upload, .. } => vec![Op::Put(upload)],
        Step::DeleteObjects { bucket, keys, .. } => {
            keys.into_iter().map(|key| Op::Delete(bucket.clone(), key)).collect()
        }
        Step::AbortUploads { .. } => Vec::new(),
        Step::DeleteBucket { bucket } => vec![Op::DeleteBucket(bucket)],
        Step::CreateWorkgroup(wanted) => vec![Op::CreateWorkgroup(wanted)],
        Step::UpdateWorkgroup { wanted, .. } => {
            let tags = wanted.tags.clone();
            vec![Op::ConfigureWorkgroup(wanted), Op::TagWorkgroup(tags)]
        }
        Step::DeleteWorkgroup { .. } => vec![Op::DeleteWorkgroup],
        Step::CreateDatabase { .. } => vec![Op::CreateDatabase],
        Step::CreateTable { name, statement } => vec![Op::CreateTable(name, statement)],
        Step::ReplaceTable { name, statement, .. } => {
            vec![Op::DropTable(name.clone()), Op::CreateTable(name, statement)]
        }
        Step::CreateView { statement, .. } => vec![Op::CreateView(statement.clone()), Op::MarkView(statement)],
        Step::AddPartitions(partitions) => partitions.into_iter().map(Op::AddPartition).collect(),
        Step::RemovePartitions(partitions) => partitions.into_iter().map(Op::RemovePartition).collect(),
        Step::DeleteTable { name } => vec![Op::DropTable(name)],
        Step::DeleteDatabase { .. } => vec![Op::DeleteDatabase],
        Step::QuickSight(step) => panic!("nobody asked for {step:?}"),
    }
}

impl Cloud {
    /// An account in which a deploy of these tickets has ended.
    pub(crate) fn with(tickets: &Tickets) -> Self {
        let mut cloud = Self::default();
        cloud.deploy(tickets);
        cloud
    }

    pub(crate) fn plan(&self, tickets: &Tickets, scope: Scope) -> Plan {
        let desired = tickets.desired();
        plan(&desired, &self.observe(&desired, scope), scope)
    }

    /// A deploy that nothing interrupts.
    pub(crate) fn deploy(&mut self, tickets: &Tickets) {
        let plan = self.plan(tickets, Scope::ALL);
        self.run(&ops(&plan, 0));
    }

    pub(crate) fn plan_destroy(&self) -> Plan {
        plan_destroy(definitions(), &self.observe_for_destroy())
    }

    pub(crate) fn store(&mut self, role: Role) -> &mut Store {
        self.buckets.get_mut(&bucket(role)).unwrap()
    }

    pub(crate) fn put(&mut self, role: Role, key: &str, object: Object) {
        self.store(role).objects.insert(key.to_owned(), object);
    }

    /// The keys in a bucket; none if there is no bucket.
    pub(crate) fn keys(&self, role: Role) -> BTreeSet<String> {
        self.buckets.get(&bucket(role)).map(|store| store.objects.keys().cloned().collect()).unwrap_or_default()
    }

    /// Looks at the model as `observe` looks at AWS.
    pub(crate) fn observe(&self, desired: &Desired, scope: Scope) -> Actual {
        let mut actual = Actual { buckets: self.observe_buckets(), ..Actual::default() };
        if scope.data {
            for data in &desired.data {
                let Some(store) = self.buckets.get(&data.bucket) else { continue };
                let mut contents = store.contents(&data.bucket, data.role);
                let wanted = data.objects.values().chain([&data.manifest]);
                for upload in wanted.filter(|upload| contents.keys.get(&upload.key) == Some(&upload.bytes)) {
                    let Object { bytes, crc64nvme, .. } = store.objects[&upload.key].clone();
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
            let Some(store) = self.buckets.get(&definition.name) else { continue };
            let mut contents = store.contents(&definition.name, definition.role);
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
        let seen = |name: &String| match (self.buckets.get(name), self.out_of_reach.get(name)) {
            (Some(store), _) => BucketState::Exists(Box::new(store.settings.clone())),
            (None, Some(bucket)) => bucket.clone(),
            (None, None) => BucketState::Missing,
        };
        definitions().buckets.iter().map(|bucket| (bucket.name.clone(), seen(&bucket.name))).collect()
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

    /// Does everything, and looks after each single thing whether a reader, or the next deploy, would still find its way.
    pub(crate) fn run(&mut self, ops: &[Op]) {
        let missing_before = self.missing();
        for op in ops {
            self.take(op);
            let missing = self.missing();
            assert!(missing.is_subset(&missing_before), "a manifest names what isn't there after {op:?}: {missing:?}");
            if let Op::Put(upload) = op
                && upload.key == MANIFEST_FILE
            {
                assert!(!missing.iter().any(|(bucket, _)| *bucket == upload.bucket), "{missing:?} at {op:?}");
            }
            let forgotten = self.forgotten();
            assert!(forgotten.is_empty(), "nothing says that these are ours after {op:?}: {forgotten:?}");
        }
    }

    /// The same for a destroy, which takes objects before the manifest that names them.
    pub(crate) fn run_destroy(&mut self, ops: &[Op]) {
        for op in ops {
            self.take(op);
            let forgotten = self.forgotten();
            assert!(forgotten.is_empty(), "nothing says that these are ours after {op:?}: {forgotten:?}");
        }
    }

    /// Does one thing, and fails where AWS would, or if it hits what is not ours.
    fn take(&mut self, op: &Op) {
        match op {
            Op::CreateBucket(name) => {
                assert!(!self.buckets.contains_key(name) && !self.out_of_reach.contains_key(name), "{name} is there");
                self.buckets.insert(name.clone(), Store::default());
            }
            Op::Set(name, setting, wanted) => {
                let settings = &mut self.buckets.get_mut(name).unwrap().settings;
                set(settings, *setting, wanted);
            }
            Op::Put(upload) => self.take_put(upload),
            Op::Delete(name, key) => {
                let objects = &mut self.buckets.get_mut(name).unwrap().objects;
                let gone = objects.remove(key);
                assert!(!gone.is_some_and(|object| object.is_foreign), "s3://{name}/{key} is not ours");
            }
            Op::DeleteBucket(name) => assert_eq!(self.buckets.remove(name).unwrap().objects, BTreeMap::new()),
            Op::CreateWorkgroup(wanted) => assert!(self.workgroup.replace((**wanted).clone()).is_none()),
            Op::ConfigureWorkgroup(wanted) => {
                let actual = self.workgroup.as_mut().unwrap();
                actual.description.clone_from(&wanted.description);
                actual.configuration = wanted.configuration.clone();
            }
            Op::TagWorkgroup(tags) => {
                let actual = &mut self.workgroup.as_mut().unwrap().tags;
                actual.retain(|tag| tags.iter().all(|wanted| wanted.key != tag.key));
                actual.extend(tags.iter().cloned());
                actual.sort();
            }
            Op::DeleteWorkgroup => assert!(self.workgroup.take().is_some()),
            Op::CreateDatabase => {
                self.must_answer_statements();
                assert!(!std::mem::replace(&mut self.has_database, true));
            }
            Op::CreateTable(name, statement) => {
                self.must_answer_statements();
                assert!(self.has_database);
                let mut table = ddl::table_definition(statement.clone()).unwrap().table;
                table.parameters.insert("EXTERNAL".to_owned(), "TRUE".to_owned());
                table.serde_parameters.insert("serialization.format".to_owned(), "1".to_owned());
                assert!(self.tables.insert(name.clone(), table).is_none(), "{name} would stay as it is");
            }
            Op::DropTable(name) => {
                assert!(self.tables.remove(name).is_some());
                if name == TABLE {
                    self.partitions.clear();
                }
            }
            Op::CreateView(statement) => {
                self.must_answer_statements();
                assert!(self.has_database && self.tables.contains_key(TABLE));
                let earlier = self.tables.insert(VIEW.to_owned(), stored_view(statement));
                assert!(earlier.as_ref().is_none_or(view::is_replaceable), "Athena replaces its own views only");
            }
            Op::MarkView(statement) => {
                let stored = self.tables.get_mut(VIEW).unwrap();
                if !view::has_same_text(statement, stored) {
                    stored.parameters.insert(view::FINGERPRINT.to_owned(), view::fingerprint(statement, stored));
                }
            }
            Op::AddPartition(partition) => {
                assert!(self.tables.contains_key(TABLE));
                let earlier = self.partitions.insert(partition.values.clone(), partition.location.clone());
                assert_eq!(earlier, None, "Glue refuses a partition that is there");
            }
            Op::RemovePartition(partition) => assert!(self.partitions.remove(&partition.values).is_some()),
            Op::DeleteDatabase => {
                assert_eq!(self.tables, BTreeMap::new(), "Glue would delete these along with {DATABASE}");
                assert!(std::mem::replace(&mut self.has_database, false));
            }
        }
    }

    fn take_put(&mut self, upload: &Upload) {
        let objects = &mut self.buckets.get_mut(&upload.bucket).unwrap().objects;
        let Upload { bucket, key, content, bytes, crc64nvme } = upload.clone();
        let text = if let Content::Text(text) = content { Some(text) } else { None };
        let object = Object { bytes, crc64nvme: Some(crc64nvme), text, is_foreign: false };
        let earlier = objects.insert(key.clone(), object);
        assert!(!earlier.is_some_and(|object| object.is_foreign), "s3://{bucket}/{key} is not ours");
        if key == MANIFEST_FILE {
            // An object of exactly the wanted content is as good as ours.
            let role = if bucket == bucket_name(Role::Raw, ACCOUNT) { Role::Raw } else { Role::Curated };
            let owned = self.buckets[&bucket].contents(&bucket, role).in_manifest;
            let objects = self.buckets.get_mut(&bucket).unwrap().objects.iter_mut();
            for (_, object) in objects.filter(|(key, _)| owned.contains(*key)) {
                object.is_foreign = false;
            }
        }
    }

    /// Athena runs statements in a workgroup, and writes to its bucket.
    fn must_answer_statements(&self) {
        assert!(self.workgroup.is_some() && self.buckets.contains_key(&bucket(Role::Results)));
    }

    /// Returns the keys that a manifest in a bucket lists but the bucket doesn't contain.
    pub(crate) fn missing(&self) -> BTreeSet<(String, String)> {
        let mut missing = BTreeSet::new();
        for role in [Role::Raw, Role::Curated] {
            let name = bucket(role);
            let Some(store) = self.buckets.get(&name) else { continue };
            let owned = store.contents(&name, role).in_manifest.into_iter();
            missing.extend(owned.filter(|key| !store.objects.contains_key(key)).map(|key| (name.clone(), key)));
        }
        missing
    }

    /// Returns managed objects that neither a manifest nor a pending manifest lists.
    fn forgotten(&self) -> Vec<String> {
        let mut forgotten = Vec::new();
        for role in [Role::Raw, Role::Curated] {
            let name = bucket(role);
            let Some(store) = self.buckets.get(&name) else { continue };
            let contents = store.contents(&name, role);
            let is_known = |key: &str| {
                contents.in_manifest.contains(key)
                    || contents.in_pending_manifest.contains(key)
                    || key == MANIFEST_FILE
                    || key == PENDING_MANIFEST
            };
            let ours = store.objects.iter().filter(|(_, object)| !object.is_foreign).map(|(key, _)| key);
            forgotten.extend(ours.filter(|key| !is_known(key)).cloned());
        }
        forgotten
    }
}

impl Store {
    pub(crate) fn contents(&self, bucket: &str, role: Role) -> Contents {
        let keys = self.objects.iter().map(|(key, object)| (key.clone(), object.bytes)).collect();
        let text = |key: &str| self.objects.get(key).filter(|_| role != Role::Results)?.text.as_deref();
        let (manifest, announcement) = (text(MANIFEST_FILE), text(PENDING_MANIFEST));
        Contents::new(bucket, role, keys, manifest.map(str::as_bytes), announcement.map(str::as_bytes)).unwrap()
    }
}

/// Makes one setting what `wanted` says.
pub(crate) fn set(settings: &mut BucketSettings, setting: Setting, wanted: &BucketSettings) {
    let wanted = wanted.clone();
    match setting {
        Setting::PublicAccessBlock => {
            settings.public_access_block_configuration = wanted.public_access_block_configuration;
        }
        Setting::OwnershipControls => settings.ownership_controls = wanted.ownership_controls,
        Setting::Encryption => {
            settings.server_side_encryption_configuration = wanted.server_side_encryption_configuration;
        }
        Setting::Policy => settings.policy = wanted.policy,
        Setting::Lifecycle => settings.lifecycle_configuration = wanted.lifecycle_configuration,
        Setting::Tagging => settings.tagging = wanted.tagging,
    }
}

/// A view as Athena stores it: rendered anew, in base64.
pub(crate) fn stored_view(statement: &str) -> Table {
    let query = statement.split_once(" AS\n").unwrap().1;
    let rendered = query.replace(",\n ", "\n,").replace("date_diff(", "\"date_diff\"(");
    let json = json!({ "originalSql": rendered, "catalog": "awsdatacatalog" }).to_string();
    let view_text = Some(format!("/* Presto View: {} */", STANDARD.encode(json)));
    Table { view_text, ..Table::default() }
}
