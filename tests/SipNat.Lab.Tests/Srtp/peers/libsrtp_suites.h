/* The crypto suites of session descriptions (RFC 4568, 6188, 7714) as libsrtp has them. */
#include <srtp2/srtp.h>
#include <string.h>

#define MAX_KEY 64

/* Returns the bytes of key and salt together; 0 for a suite that is not known. */
static int choose_suite(const char *name, srtp_policy_t *policy)
{
    static const struct {
        const char *name;
        int length;
        void (*rtp)(srtp_crypto_policy_t *);
        void (*rtcp)(srtp_crypto_policy_t *);
    } suites[] = {
        { "AES_CM_128_HMAC_SHA1_80", 30, srtp_crypto_policy_set_rtp_default, srtp_crypto_policy_set_rtp_default },
        { "AES_CM_128_HMAC_SHA1_32", 30, srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32, srtp_crypto_policy_set_rtp_default },
        { "AES_256_CM_HMAC_SHA1_80", 46, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80 },
        { "AES_256_CM_HMAC_SHA1_32", 46, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80 },
        { "AEAD_AES_128_GCM", 28, srtp_crypto_policy_set_aes_gcm_128_16_auth, srtp_crypto_policy_set_aes_gcm_128_16_auth },
        { "AEAD_AES_256_GCM", 44, srtp_crypto_policy_set_aes_gcm_256_16_auth, srtp_crypto_policy_set_aes_gcm_256_16_auth },
    };

    for (size_t i = 0; i < sizeof(suites) / sizeof(*suites); i++) {
        if (strcmp(name, suites[i].name) != 0) continue;

        suites[i].rtp(&policy->rtp);
        suites[i].rtcp(&policy->rtcp);
        return suites[i].length;
    }

    return 0;
}
