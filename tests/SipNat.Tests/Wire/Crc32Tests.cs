using SipNat.Wire;

namespace SipNat.Tests.Wire;

public sealed class Crc32Tests
{
    [Fact]
    public void The_check_value_is_that_of_the_catalogues() => Assert.Equal(0xCBF4_3926, Crc32.Compute("123456789"u8));

    [Fact]
    public void Nothing_sums_up_to_zero() => Assert.Equal(0u, Crc32.Compute([]));

    [Fact]
    public void The_table_agrees_with_the_polynomial_bit_by_bit()
    {
        var random = new Random(9);
        for (var length = 1; length < 200; length += 7)
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            Assert.Equal(BitByBit(bytes), Crc32.Compute(bytes));
        }

        static uint BitByBit(byte[] bytes)
        {
            var crc = uint.MaxValue;
            foreach (var octet in bytes)
            {
                for (var bit = 0; bit < 8; bit++)
                {
                    var isSet = ((crc ^ (uint)(octet >> bit)) & 1) != 0;
                    crc = isSet ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1;
                }
            }

            return ~crc;
        }
    }
}
