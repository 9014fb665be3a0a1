//! Datasets, models and other objects as OpenLineage knows them: namespace, name, and what is said of each.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::base::id::ObjectId;
use crate::base::limits::LINEAGE_COLUMNS_MAX;
use crate::index::Edge;
use crate::ops::lineage::openlineage::{Names, percent, producer};
use crate::record::dataset::DatasetRecord;
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::record::recipe::RecipeRecord;
use crate::repo::Repo;

/// One facet: what it says, who says it, and the schema that it follows.
pub fn facet(version: &str, name: &str, mut body: Value) -> Value {
    body["_producer"] = json!(producer());
    body["_schemaURL"] = json!(format!("https://openlineage.io/spec/facets/{version}/{name}.json#/$defs/{name}"));
    body
}

/// Where facets of things come from.
pub struct Facets<'a> {
    repo: &'a Repo,
    namespace: &'a str,
    names: &'a Names,
}

impl<'a> Facets<'a> {
    /// Facets of the things of a repository.
    pub fn new(repo: &'a Repo, namespace: &'a str, names: &'a Names) -> Facets<'a> {
        Facets { repo, namespace, names }
    }

    /// Namespace and name of what an edge is about.
    ///
    /// A raw file is known by where it came from, a dataset by its name, anything else by its role and id, so that it is the
    /// same thing in every event, before and after it has a name.
    fn identity(&self, edge: &Edge) -> (String, String) {
        if matches!(edge.role.as_str(), "raw" | "file") {
            return outside(&edge.name);
        }
        (self.namespace.to_owned(), self.inside(&edge.object, &edge.role))
    }

    fn inside(&self, id: &ObjectId, role: &str) -> String {
        let known = self.names.get(id).filter(|_| role == "dataset");
        let name = known.and_then(|label| label.rsplit_once('@')).map(|(name, _)| name.to_owned());
        format!("{role}/{}", name.unwrap_or_else(|| id.short()))
    }

    /// The thing without facets.
    pub fn name(&self, edge: &Edge) -> Value {
        let (namespace, name) = self.identity(edge);
        json!({ "namespace": namespace, "name": name })
    }

    /// The thing as a run read it.
    pub fn input(&self, edge: &Edge) -> Result<Value> {
        let (mut thing, record) = self.thing(edge)?;
        if let Some(record) = &record {
            let profile: ProfileRecord = self.repo.record(&record.profile)?;
            let quality = quality(record, &profile);
            thing["inputFacets"] =
                json!({ "dataQualityMetrics": facet("1-0-3", "DataQualityMetricsInputDatasetFacet", quality) });
        }
        Ok(thing)
    }

    /// The thing as a run made it; `edges` are all of that run.
    pub fn output(&self, edge: &Edge, edges: &[Edge]) -> Result<Value> {
        let (mut thing, record) = self.thing(edge)?;
        if let Some(record) = &record {
            let size = self.repo.store().stat(&record.table)?.map(|stat| stat.bytes);
            let statistics = json!({ "rowCount": record.rows, "size": size });
            thing["outputFacets"] =
                json!({ "outputStatistics": facet("1-0-2", "OutputStatisticsOutputDatasetFacet", statistics) });
        }
        if let Some(fields) = self.column_lineage(edge, edges)? {
            let lineage = facet("1-2-0", "ColumnLineageDatasetFacet", json!({ "fields": fields }));
            thing["facets"]["columnLineage"] = lineage;
        }
        Ok(thing)
    }

    /// What is said of a thing on either side, with its record if it is a dataset.
    fn thing(&self, edge: &Edge) -> Result<(Value, Option<DatasetRecord>)> {
        let (namespace, name) = self.identity(edge);
        let mut facets = Map::new();
        let place =
            if namespace.contains(':') { percent(&namespace) } else { format!("mlops://{}", percent(&namespace)) };
        let source = json!({ "name": namespace, "uri": place });
        facets.insert("dataSource".to_owned(), facet("1-0-1", "DatasourceDatasetFacet", source));
        let label = self.names.get(&edge.object);
        // A registered version of a dataset is its version; anything else is what its bytes are.
        let version = match label.and_then(|label| label.rsplit_once('@')).filter(|_| edge.role == "dataset") {
            Some((_, version)) => version.to_owned(),
            None => edge.object.hex(),
        };
        let version = json!({ "datasetVersion": version });
        facets.insert("version".to_owned(), facet("1-0-1", "DatasetVersionDatasetFacet", version));
        if let Some(label) = label.filter(|_| edge.role == "model") {
            let known = json!({ "namespace": self.namespace, "name": format!("model/{label}"), "type": "MODEL" });
            let links = facet("1-0-1", "SymlinksDatasetFacet", json!({ "identifiers": [known] }));
            facets.insert("symlinks".to_owned(), links);
        }
        // A pulled history may name datasets whose records stayed behind.
        let is_here = edge.role == "dataset" && self.repo.store().contains(&edge.object)?;
        let record: Option<DatasetRecord> = is_here.then(|| self.repo.record(&edge.object)).transpose()?;
        if let Some(record) = record.as_ref().filter(|record| record.columns.len() <= LINEAGE_COLUMNS_MAX) {
            let field = |column: &crate::record::dataset::ColumnRecord| json!({ "name": column.name, "type": column.column_type });
            let fields: Vec<Value> = record.columns.iter().map(field).collect();
            facets.insert("schema".to_owned(), facet("1-1-1", "SchemaDatasetFacet", json!({ "fields": fields })));
        }
        Ok((json!({ "namespace": namespace, "name": name, "facets": facets }), record))
    }

    /// Which columns of the dataset each feature, or the prediction of a model, comes from.
    fn column_lineage(&self, edge: &Edge, edges: &[Edge]) -> Result<Option<Map<String, Value>>> {
        let recipe = edges.iter().find(|other| other.role == "recipe").map(|other| other.object);
        let wanted = matches!(edge.role.as_str(), "recipe" | "features" | "model");
        let Some(id) = recipe.filter(|_| wanted) else {
            return Ok(None);
        };
        if !self.repo.store().contains(&id)? {
            return Ok(None);
        }
        let record: RecipeRecord = self.repo.record(&id)?;
        if record.features.is_empty() || record.features.len() > LINEAGE_COLUMNS_MAX {
            return Ok(None);
        }
        let name = self.inside(&record.dataset, "dataset");
        let input = |field: &str| json!({ "namespace": self.namespace, "name": name, "field": field });
        if edge.role == "model" {
            let mut columns: Vec<&str> = record.features.iter().map(|feature| feature.from.as_str()).collect();
            columns.sort_unstable();
            columns.dedup();
            let target = record.target.clone().unwrap_or_else(|| "prediction".to_owned());
            let fields: Vec<Value> = columns.into_iter().map(input).collect();
            return Ok(Some(Map::from_iter([(target, json!({ "inputFields": fields }))])));
        }
        let mut fields: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for feature in &record.features {
            fields.entry(&feature.name).or_default().push(input(&feature.from));
        }
        let named = fields.into_iter().map(|(name, inputs)| (name.to_owned(), json!({ "inputFields": inputs })));
        Ok(Some(named.collect()))
    }
}

/// Namespace and name of what lies outside: scheme and host of an address and its path, or a file by its name.
fn outside(name: &str) -> (String, String) {
    let Some((scheme, rest)) = name.split_once("://") else {
        return ("file".to_owned(), name.to_owned());
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = if path.is_empty() { "/" } else { path };
    (format!("{scheme}://{host}"), path.to_owned())
}

/// Counts and statistics of a dataset by column; of a very wide one only of the whole.
fn quality(record: &DatasetRecord, profile: &ProfileRecord) -> Value {
    let of = |column: &ColumnProfile| {
        let mut metrics = json!({
            "nullCount": column.missing, "distinctCount": column.unique, "count": column.present,
        });
        if let Some(numbers) = &column.numbers {
            for (name, value) in [("min", numbers.min), ("max", numbers.max)] {
                if let Some(value) = value {
                    metrics[name] = json!(value);
                }
            }
        }
        (column.name.clone(), metrics)
    };
    let shown = if profile.columns.len() <= LINEAGE_COLUMNS_MAX { profile.columns.as_slice() } else { &[] };
    let columns: Map<String, Value> = shown.iter().map(of).collect();
    json!({
        "rowCount": record.rows, "bytes": record.bytes(), "fileCount": record.sources.len(), "columnMetrics": columns,
    })
}

#[cfg(test)]
mod tests {
    use super::outside;

    #[test]
    fn what_lies_outside_has_the_namespace_of_its_host() {
        let check = |name: &str, namespace: &str, path: &str| {
            assert_eq!(outside(name), (namespace.to_owned(), path.to_owned()), "{name}");
        };
        check("penguins.csv", "file", "penguins.csv");
        check("s3://bucket/a/b.csv", "s3://bucket", "a/b.csv");
        check("https://example.org", "https://example.org", "/");
    }
}
