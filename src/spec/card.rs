//! `[card]` of the project file: what only people know of a model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How much harm a wrong answer can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskRating {
    /// Much.
    High,
    /// Some.
    Medium,
    /// Little.
    Low,
    /// Nobody looked at it.
    Unknown,
}

impl RiskRating {
    /// As SageMaker's model cards write it.
    pub fn title(self) -> &'static str {
        match self {
            RiskRating::High => "High",
            RiskRating::Medium => "Medium",
            RiskRating::Low => "Low",
            RiskRating::Unknown => "Unknown",
        }
    }
}

/// What a model card says beside what can be measured; every key may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CardSpec {
    /// What the model is, in a sentence or two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Why it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// What it may be used for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intended_use: Option<String>,
    /// What it must not be used for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_scope: Option<String>,
    /// Where it fails, and what its quality depends on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limitations: Option<String>,
    /// How much harm a wrong answer can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk_rating: Option<RiskRating>,
    /// Why it is rated so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk_reason: Option<String>,
    /// The problem of the business that it solves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_problem: Option<String>,
    /// Who has a stake in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stakeholders: Option<String>,
    /// The line of business.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_of_business: Option<String>,
    /// What is to be thought of when people are concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ethical_considerations: Option<String>,
    /// What its users should do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recommendations: Option<String>,
    /// Anything else by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}
