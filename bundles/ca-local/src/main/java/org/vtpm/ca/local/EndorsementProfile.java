package org.vtpm.ca.local;

import java.io.IOException;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x509.Attribute;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectDirectoryAttributes;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.vtpm.api.engine.TpmModel;

/** What an endorsement credential says of the TPM (TCG Credential Profiles for TPM Family 1.2). */
final class EndorsementProfile {
    /** A credential has no subject: the TPM is described by the alternative name. */
    static final X500Name NO_SUBJECT = new X500Name(new RDN[0]);

    private static final ASN1ObjectIdentifier TCG = new ASN1ObjectIdentifier("2.23.133");
    private static final ASN1ObjectIdentifier MANUFACTURER = TCG.branch("2.1");
    private static final ASN1ObjectIdentifier MODEL = TCG.branch("2.2");
    private static final ASN1ObjectIdentifier VERSION = TCG.branch("2.3");
    private static final ASN1ObjectIdentifier SPECIFICATION = TCG.branch("2.16");
    private static final ASN1ObjectIdentifier EK_CERTIFICATE = TCG.branch("8.1");

    private EndorsementProfile() {}

    /** Adds the extensions that the profile asks for, but for the authority's. */
    static void apply(X509v3CertificateBuilder builder, TpmModel model) throws IOException {
        builder.addExtension(
                Extension.extendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeId.getInstance(EK_CERTIFICATE)));
        // Critical, since the subject is empty (RFC 5280, section 4.1.2.6).
        builder.addExtension(Extension.subjectAlternativeName, true, new GeneralNames(new GeneralName(name(model))));
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
        builder.addExtension(Extension.subjectDirectoryAttributes, false, specification(model));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyEncipherment));
    }

    private static X500Name name(TpmModel model) {
        return new X500NameBuilder()
                .addRDN(MANUFACTURER, id(model.manufacturer()))
                .addRDN(MODEL, model.model())
                .addRDN(VERSION, id(model.version()))
                .build();
    }

    private static String id(int number) {
        return String.format("id:%08X", number);
    }

    private static SubjectDirectoryAttributes specification(TpmModel model) {
        ASN1EncodableVector values = new ASN1EncodableVector();
        values.add(new DERUTF8String(model.family().label()));
        values.add(new ASN1Integer(model.level()));
        values.add(new ASN1Integer(model.revision()));
        return SubjectDirectoryAttributes.getInstance(
                new DERSequence(new Attribute(SPECIFICATION, new DERSet(new DERSequence(values)))));
    }
}
