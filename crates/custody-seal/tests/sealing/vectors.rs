//! The primitives, as this crate uses them, against the standards' own vectors. HPKE's stand beside the code that calls it.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{AeadInOut, Nonce, Tag},
};
use argon2::{Algorithm, Argon2, Params, Version};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::support::{hex, unhex};

/// RFC 5869, appendix A: inputs and output of test cases 1 and 3.
#[test]
fn hkdf_gives_the_values_of_rfc_5869() {
    let cases = [
        (
            "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        ("", "", "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
    ];
    for (salt, info, expected) in cases {
        let mut output = [0; 42];
        Hkdf::<Sha256>::new(Some(&unhex(salt)), &[0x0b; 22]).expand(&unhex(info), &mut output).unwrap();
        assert_eq!(hex(&output), expected);
    }
}

/// NIST CAVP, `gcmEncryptExtIV256.rsp`: key, nonce, text, additional data, ciphertext, tag.
const NIST_GCM: [[&str; 6]; 5] = [
    [
        "b52c505a37d78eda5dd34f20c22540ea1b58963cf8e5bf8ffa85f9f2492505b4",
        "516c33929df5a3284ff463d7",
        "",
        "",
        "",
        "bdc1ac884d332457a1d2664f168c76f0",
    ],
    [
        "78dc4e0aaf52d935c3c01eea57428f00ca1fd475f5da86a49c8dd73d68c8e223",
        "d79cf22d504cc793c3fb6c8a",
        "",
        "b96baa8c1c75a671bfb2d08d06be5f36",
        "",
        "3e5d486aa2e30b22e040b85723a06e76",
    ],
    [
        "31bdadd96698c204aa9ce1448ea94ae1fb4a9a0b3c9d773b51bb1822666b8f22",
        "0d18e06c7c725ac9e362e1ce",
        "2db5168e932556f8089a0622981d017d",
        "",
        "fa4362189661d163fcd6a56d8bf0405a",
        "d636ac1bbedd5cc3ee727dc2ab4a9489",
    ],
    [
        "83688deb4af8007f9b713b47cfa6c73e35ea7a3aa4ecdb414dded03bf7a0fd3a",
        "0b459724904e010a46901cf3",
        "33d893a2114ce06fc15d55e454cf90c3",
        "794a14ccd178c8ebfd1379dc704c5e208f9d8424",
        "cc66bee423e3fcd4c0865715e9586696",
        "0fb291bd3dba94a1dfd8b286cfb97ac5",
    ],
    [
        "463b412911767d57a0b33969e674ffe7845d313b88c6fe312f3d724be68e1fca",
        "611ce6f9a6880750de7da6cb",
        "e7d1dcf668e2876861940e012fe52a98dacbd78ab63c08842cc9801ea581682ad54af0c34d0d7f6f59e8ee0bf4900e0fd85042",
        "0a682fbc6192e1b47a5e0868787ffdafe5a50cead3575849990cdd2ea9b3597749403efb4a56684f0c6bde352d4aeec5",
        "8886e196010cb3849d9c1a182abe1eeab0a5f3ca423c3669a4a8703c0f146e8e956fb122e0d721b869d2b6fcd4216d7d4d3758",
        "2469cecd70fd98fec9264f71df1aee9a",
    ],
];

#[test]
fn aes_256_gcm_gives_the_values_of_nist() {
    for vector in NIST_GCM {
        let [key, nonce, text, aad, ciphertext, tag] = vector.map(unhex);
        let gcm = Aes256Gcm::new_from_slice(&key).unwrap();
        let nonce = Nonce::<Aes256Gcm>::try_from(nonce.as_slice()).unwrap();
        let mut buffer = text.clone();
        let made = gcm.encrypt_inout_detached(&nonce, &aad, buffer.as_mut_slice().into()).unwrap();
        assert_eq!((hex(&buffer), hex(&made)), (hex(&ciphertext), hex(&tag)));
        let tag = Tag::<Aes256Gcm>::try_from(tag.as_slice()).unwrap();
        gcm.decrypt_inout_detached(&nonce, &aad, buffer.as_mut_slice().into(), &tag).unwrap();
        assert_eq!(buffer, text);
    }
}

/// The reference implementation's own test of version 1.3: two passes over 256 KiB, one lane.
#[test]
fn argon2id_gives_the_value_of_its_reference() {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(256, 2, 1, Some(32)).unwrap());
    let mut key = [0; 32];
    argon2.hash_password_into(b"password", b"somesalt", &mut key).unwrap();
    assert_eq!(hex(&key), "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe");
}
