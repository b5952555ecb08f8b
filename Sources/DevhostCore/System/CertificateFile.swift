import COpenSSL

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What stands in an X.509 certificate, as far as people ask for it.
package struct CertificateFile: Sendable, Hashable {
    /// The host names that it holds for.
    package let names: [String]
    /// The common name of who signed it, or its organization.
    package let issuer: String
    /// Until when it holds.
    package let expires: Date

    /// Reads the first certificate of a PEM text.
    /// - Throws: `damaged` where there is none.
    package init(pem: [UInt8], source: String) throws(DevhostError) {
        let damaged = DevhostError(.damaged, "\(source) holds no certificate")
        guard let input = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { throw damaged }
        defer { BIO_free(input) }
        guard let certificate = PEM_read_bio_X509(input, nil, nil, nil) else { throw damaged }
        defer { X509_free(certificate) }
        guard let end = Self.date(X509_get0_notAfter(certificate)) else { throw damaged }
        expires = end
        let signer = X509_get_issuer_name(certificate)
        issuer = Self.text(signer, NID_commonName) ?? Self.text(signer, NID_organizationName) ?? "unknown"
        names = Self.names(certificate)
    }

    private static func date(_ time: UnsafePointer<ASN1_TIME>?) -> Date? {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return Date(timeIntervalSince1970: Double(timegm(&parts)))
    }

    private static func text(_ name: OpaquePointer?, _ field: Int32) -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        guard X509_NAME_get_text_by_NID(name, field, &buffer, Int32(buffer.count)) > 0 else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).printable
    }

    private static func names(_ certificate: OpaquePointer) -> [String] {
        guard let list = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
        let stack = OpaquePointer(list)
        defer { GENERAL_NAMES_free(stack) }
        return (0..<OPENSSL_sk_num(stack)).compactMap { index in
            guard let entry = OPENSSL_sk_value(stack, index)?.assumingMemoryBound(to: GENERAL_NAME.self),
                entry.pointee.type == GEN_DNS, let name = entry.pointee.d.dNSName,
                let data = ASN1_STRING_get0_data(name)
            else { return nil }
            let bytes = UnsafeBufferPointer(start: data, count: Int(ASN1_STRING_length(name)))
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
