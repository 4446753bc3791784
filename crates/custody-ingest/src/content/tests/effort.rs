//! What a batch costs the vault does not grow with what others did before it.

use super::{
    super::step::in_few_megabytes,
    world::{NOON, World},
};

#[tokio::test]
async fn erasures_of_others_cost_a_batch_nothing() {
    let world = World::new().await;
    for number in 0..300 {
        world.forget("elsewhere", Some(&format!("p_{number}")), NOON).await;
        world.forget("acme", Some(&format!("p_{number}")), NOON).await;
    }
    world.log([world.sealed(|_| ()).await]);
    let step = world.step();
    let before = world.objects.operations();
    world.settle(&mut world.ingest_over(&step)).await.unwrap();
    world.assert_each_once(1);
    assert!(world.objects.operations() - before < 25, "{} operations", world.objects.operations() - before);
}

#[tokio::test]
async fn keys_and_tombstones_of_many_persons_are_asked_for_at_once_but_not_all() {
    let world = World::new().await;
    for person in 0..60 {
        world.log([world.sealed(|record| record.person = Some(format!("p_{person}").into())).await]);
        world.forget("acme", Some(&format!("p_{person}")), NOON - 1).await;
    }
    world.run().await;
    world.assert_each_once(60);
    let busiest = world.objects.busiest();
    assert!((8..=16).contains(&busiest), "{busiest} reads at once");
}

/// Texts beside the stream are as large as their records say.
#[tokio::test]
async fn large_texts_are_opened_together_as_far_as_they_fit() {
    let world = World::new().await;
    for _ in 0..40 {
        world.log([world.claimed().await]);
    }
    let mut texts = world.texts_up_to(40).0;
    assert_eq!(in_few_megabytes(texts.clone()).len(), 1);
    for text in &mut texts {
        std::sync::Arc::make_mut(&mut text.record).bytes = 3 << 20;
    }
    let groups = in_few_megabytes(texts);
    assert_eq!((groups.len(), groups.iter().map(Vec::len).max()), (20, Some(2)));
}
