//! The texts that a distributed gateway keeps: sealed into the content journal, and shipped to a topic of their own.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use custody_gateway::{ContentOutlet, ShippedJournal, workspace::Workspace};
use custody_log::Journal;
use custody_types::{Clock, IdSource};

use super::outlet::{self, Outlet, SHIPPER};
use crate::{
    content::{self, ContentConfig, ContentSide},
    deployment::Deployment,
    figures::Figures,
    topics,
};

/// The content journal with its way to the log.
pub struct KeptTexts {
    side: ContentSide,
    pub outlet: Outlet,
}

impl KeptTexts {
    /// Nothing where no rule keeps text and none is on its way.
    pub async fn start(
        deployment: &Deployment,
        workspace: &Workspace,
        data_dir: &Path,
        clock: &Arc<dyn Clock>,
        ids: &Arc<dyn IdSource>,
    ) -> Result<Option<Self>> {
        if !content::is_wanted(workspace, data_dir) {
            return Ok(None);
        }
        let missing = "a rule of data-handling.toml keeps text, or kept it, and the deployment file has no [vault]";
        let (vault, topic) = deployment.vault.as_ref().zip(deployment.log.content.as_ref()).context(missing)?;
        topics::refuse_unsafe_if_there(&deployment.log, topic).await?;
        let config = ContentConfig { data_dir, journal_bytes: deployment.gateway.content_bytes, consumer: SHIPPER, window: vault.window };
        let side = ContentSide::start(&config, vault.objects().await?, clock, ids).await?;
        let outlet = Outlet::start(deployment, topic, &side.journal, &data_dir.join(content::FOLDER))?;
        Ok(Some(Self { side, outlet }))
    }

    /// What the gateway is given.
    pub fn for_gateway(&self, deployment: &Deployment) -> ContentOutlet {
        let shipped = ShippedJournal::new(self.side.journal.clone(), self.outlet.monitor.acked(), deployment.gateway.log_patience);
        self.side.outlet(Arc::new(shipped))
    }

    /// How journal and shipper do.
    pub fn figures(&self) -> impl Fn(&mut Figures) + Send + Sync + use<> {
        let (journal, monitor): (Journal, _) = (self.side.journal.clone(), self.outlet.monitor.clone());
        move |figures| {
            content::add_figures(figures, &journal.stats());
            outlet::add_figures(figures, "custody_content_shipper", &monitor.stats());
        }
    }

    /// Ships the rest, for a while, and closes the journal. Says how many records still wait.
    pub async fn stop(self) -> Result<u64> {
        let journal = self.side.journal.clone();
        self.side.stop().await.context("a task of the content journal ended abnormally")?;
        self.outlet.stop.send_replace(true);
        let shipped = self.outlet.finish().await;
        journal.shutdown().await;
        Ok(shipped?.lag_records)
    }
}
