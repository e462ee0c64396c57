using SipNat.Bench.Compare;

namespace SipNat.Lab.Tests.Bench;

public sealed class NetworkNamespaceTests
{
    [Theory]
    [InlineData(0, "1")]
    [InlineData(1, "2")]
    [InlineData(31, "80000000")]
    [InlineData(32, "1,00000000")]
    [InlineData(70, "40,00000000,00000000")]
    public void A_core_is_named_as_the_kernel_has_it(int core, string mask) => Assert.Equal(mask, NetworkNamespace.MaskOf(core));
}
