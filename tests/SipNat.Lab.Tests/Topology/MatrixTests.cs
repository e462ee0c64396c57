using SipNat.Lab.Tests.Scene;
using SipNat.NatLab.Matrix;
using SipNat.NatLab.Servers;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Topology;

/// <summary>A few pairs of the matrix that docs/nat-matrix.md has whole: audio both ways, in every mode, where it is predicted.</summary>
public sealed class MatrixTests
{
    [Theory]
    [InlineData(NatBehaviour.Open, NatBehaviour.Symmetric)]
    [InlineData(NatBehaviour.AddressRestricted, NatBehaviour.PortRestricted)]
    [InlineData(NatBehaviour.Double, NatBehaviour.FullCone)]
    public async Task Audio_passes_both_ways_in_every_mode(NatBehaviour left, NatBehaviour right)
    {
        await Laboratory.RequireAsync(CoturnServer.Program);

        var cells = await MatrixRunner.RunAsync(new(left, right), TestContext.Current.CancellationToken);

        Assert.Equal(MatrixModes.All, cells.Select(cell => cell.Mode));
        Assert.All(cells, cell => Assert.True(cell is { Works: true, IsPredicted: true }, $"{cell.Mode}: {cell.Left} {cell.Right}"));
    }
}
