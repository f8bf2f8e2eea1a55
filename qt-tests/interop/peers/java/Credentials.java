// SPDX-License-Identifier: MIT OR Apache-2.0

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A side's own certificate and whom it trusts, from files in PEM. */
final class Credentials {
    private Credentials() {}

    static SSLContext context(Map<String, String> options) throws Exception {
        SSLContext context = SSLContext.getInstance("DTLS");
        context.init(keys(options).getKeyManagers(), trust(options).getTrustManagers(), null);
        return context;
    }

    private static KeyManagerFactory keys(Map<String, String> options) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        if (options.containsKey("cert")) {
            store.setKeyEntry("own", key(options.get("key")), new char[0], certificates(options.get("cert")));
        }
        KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
        factory.init(store, new char[0]);
        return factory;
    }

    private static TrustManagerFactory trust(Map<String, String> options) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setCertificateEntry("authority", certificates(options.get("ca"))[0]);
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        return factory;
    }

    private static Certificate[] certificates(String file) throws Exception {
        try (InputStream stream = Files.newInputStream(Path.of(file))) {
            return CertificateFactory.getInstance("X.509").generateCertificates(stream).toArray(new Certificate[0]);
        }
    }

    private static PrivateKey key(String file) throws Exception {
        String pem = Files.readString(Path.of(file)).replaceAll("-----.*-----|\\s", "");
        PKCS8EncodedKeySpec key = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem));
        try {
            return KeyFactory.getInstance("EC").generatePrivate(key);
        } catch (InvalidKeySpecException error) {
            return KeyFactory.getInstance("RSA").generatePrivate(key);
        }
    }
}
