//! What every store must do, whatever it is made of.

use bytes::Bytes;
use futures::future::join_all;

use super::{ObjectName, Objects, Put, Replaced};

fn name(text: &str) -> ObjectName {
    text.parse().unwrap()
}

async fn text(objects: &dyn Objects, object: &str) -> Option<String> {
    objects.get(&name(object)).await.unwrap().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

/// The whole suite, on a store that holds nothing yet.
pub(crate) async fn holds_for(objects: &dyn Objects) {
    what_was_put_is_got(objects).await;
    any_bytes_under_any_name_are_got_as_they_were_put(objects).await;
    of_many_that_create_one_wins(objects).await;
    a_replacement_needs_what_was_read(objects).await;
    of_many_that_replace_one_wins(objects).await;
    what_is_deleted_does_not_come_back(objects).await;
    listings_are_sorted_and_of_one_folder(objects).await;
    every_label_can_stand_in_a_name(objects).await;
}

async fn what_was_put_is_got(objects: &dyn Objects) {
    assert_eq!(text(objects, "a/one").await, None);
    for bytes in [Bytes::new(), Bytes::from_static(b"first"), Bytes::from(vec![0xff; 3 << 20])] {
        objects.put(&name("a/one"), bytes.clone()).await.unwrap();
        assert_eq!(objects.get(&name("a/one")).await.unwrap(), Some(bytes));
    }
    assert_eq!(text(objects, "a").await, None, "a folder is no object");
    assert_eq!(text(objects, "a/one/below").await, None);
}

/// Names and bytes from a generator of pseudo-random numbers, the same in every run.
async fn any_bytes_under_any_name_are_got_as_they_were_put(objects: &dyn Objects) {
    const SIGNS: &[u8] = b"ABCxyz019._-:@+=!";
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let mut put = std::collections::BTreeMap::new();
    for _ in 0..64 {
        let segment: String = (0..=next(40)).map(|_| char::from(SIGNS[next(SIGNS.len())])).collect();
        let object = name(&format!("any/{}/x{segment}", next(4)));
        let bytes = Bytes::from((0..next(5_000)).map(|_| u8::try_from(next(256)).unwrap()).collect::<Vec<_>>());
        objects.put(&object, bytes.clone()).await.unwrap();
        put.insert(object, bytes);
    }
    for (object, bytes) in &put {
        assert_eq!(objects.get(object).await.unwrap().as_ref(), Some(bytes), "{object}");
    }
    assert_eq!(objects.list(&name("any")).await.unwrap(), put.into_keys().collect::<Vec<_>>());
}

async fn of_many_that_create_one_wins(objects: &dyn Objects) {
    let object = name("new/one");
    let puts = join_all((0..16).map(|writer| objects.put_new(&object, Bytes::from(format!("writer {writer}"))))).await;
    let won: Vec<usize> = (0..16).filter(|writer| *puts[*writer].as_ref().unwrap() == Put::Created).collect();
    assert_eq!(won.len(), 1, "{won:?}");
    assert_eq!(text(objects, "new/one").await, Some(format!("writer {}", won[0])));
}

async fn a_replacement_needs_what_was_read(objects: &dyn Objects) {
    let object = name("replaced/one");
    assert_eq!(objects.replace(&object, b"", Bytes::from_static(b"x")).await.unwrap(), Replaced::Changed);
    objects.put(&object, Bytes::from_static(b"first")).await.unwrap();
    assert_eq!(objects.replace(&object, b"other", Bytes::from_static(b"x")).await.unwrap(), Replaced::Changed);
    assert_eq!(text(objects, "replaced/one").await.as_deref(), Some("first"));
    assert_eq!(objects.replace(&object, b"first", Bytes::from_static(b"second")).await.unwrap(), Replaced::Done);
    assert_eq!(text(objects, "replaced/one").await.as_deref(), Some("second"));
}

async fn of_many_that_replace_one_wins(objects: &dyn Objects) {
    let object = name("replaced/raced");
    objects.put(&object, Bytes::from_static(b"old")).await.unwrap();
    let tries = join_all((0..8).map(|writer| objects.replace(&object, b"old", Bytes::from(format!("writer {writer}"))))).await;
    let won = tries.into_iter().filter(|replaced| *replaced.as_ref().unwrap() == Replaced::Done).count();
    assert_eq!(won, 1);
}

async fn what_is_deleted_does_not_come_back(objects: &dyn Objects) {
    let object = name("gone/deep/one");
    objects.delete(&object).await.unwrap();
    objects.put(&object, Bytes::from_static(b"key")).await.unwrap();
    objects.delete(&object).await.unwrap();
    objects.delete(&object).await.unwrap();
    assert_eq!(text(objects, "gone/deep/one").await, None);
    assert_eq!(objects.replace(&object, b"key", Bytes::from_static(b"key again")).await.unwrap(), Replaced::Changed);
    assert_eq!(text(objects, "gone/deep/one").await, None, "a replacement brought a deleted object back");
    assert!(objects.list(&name("gone")).await.unwrap().is_empty());
    assert_eq!(objects.put_new(&object, Bytes::from_static(b"anew")).await.unwrap(), Put::Created);
}

async fn listings_are_sorted_and_of_one_folder(objects: &dyn Objects) {
    for object in ["list/b/2", "list/a/9", "list/b/10", "listed/x", "list/a-b/1"] {
        objects.put(&name(object), Bytes::from_static(b"x")).await.unwrap();
    }
    let shown = |names: Vec<ObjectName>| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(shown(objects.list(&name("list")).await.unwrap()), ["list/a-b/1", "list/a/9", "list/b/10", "list/b/2"]);
    assert_eq!(shown(objects.list(&name("list/a")).await.unwrap()), ["list/a/9"]);
    assert!(objects.list(&name("nothing/here")).await.unwrap().is_empty());
}

async fn every_label_can_stand_in_a_name(objects: &dyn Objects) {
    for label in ["..", "_", "a/b", "a@b+c:d", ".hidden"] {
        let object = name("labels").join(&ObjectName::label(label)).unwrap().join("x").unwrap();
        objects.put(&object, Bytes::from(label.to_owned())).await.unwrap();
        assert_eq!(objects.get(&object).await.unwrap().unwrap(), label);
    }
    let listed = objects.list(&name("labels")).await.unwrap();
    let labels: Vec<_> = listed.iter().filter_map(|object| ObjectName::read_label(object.segments().nth(1)?)).collect();
    assert_eq!(labels.len(), 5, "{listed:?}");
    assert!(["..", "_", "a/b", "a@b+c:d", ".hidden"].iter().all(|label| labels.iter().any(|found| found == label)), "{labels:?}");
}
