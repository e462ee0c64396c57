using System.Diagnostics;
using SipNat.Server.Addressing;
using SipNat.Server.Options;

namespace SipNat.Server.Tests.Addressing;

public sealed class CloudAddressesTests
{
    [Theory]
    [InlineData(CloudMetadata.Aws, "172.31.5.6=198.51.100.7")]
    [InlineData(CloudMetadata.Gcp, "10.128.0.2=198.51.100.7")]
    [InlineData(CloudMetadata.Azure, "10.1.0.4=198.51.100.7")]
    public async Task The_public_address_is_found_as_each_provider_documents_it(CloudMetadata provider, string expected)
    {
        await using var service = new MetadataService();

        Assert.Equal(expected, await AskAsync(provider, service));
    }

    [Theory]
    [InlineData(CloudMetadata.Aws)]
    [InlineData(CloudMetadata.Gcp)]
    [InlineData(CloudMetadata.Azure)]
    public async Task A_machine_without_a_public_address_has_none_and_that_is_an_answer(CloudMetadata provider)
    {
        await using var service = new MetadataService { Public = "" };

        Assert.Equal("", await AskAsync(provider, service));
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("224.0.0.1")]
    [InlineData("198.51.100.7:80")]
    [InlineData("2001:db8::1")]
    [InlineData("example.com")]
    public async Task What_is_no_public_ipv4_address_is_passed_over(string text)
    {
        await using var service = new MetadataService { Public = text };

        Assert.Equal("", await AskAsync(CloudMetadata.Aws, service));
    }

    [Theory]
    [InlineData(CloudMetadata.Aws)]
    [InlineData(CloudMetadata.Gcp)]
    [InlineData(CloudMetadata.Azure)]
    public async Task Silence_is_given_up_after_a_second(CloudMetadata provider)
    {
        await using var service = new MetadataService { IsSilent = true };
        var clock = Stopwatch.StartNew();

        Assert.Null(await AskAsync(provider, service));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.9, 5);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<html>hi!")] // a captive portal
    [InlineData("HTTP/1.1 200 OK\r\nMetadata-Flavor: Google\r\nContent-Length: 2\r\n\r\n{}")]
    [InlineData("HTTP/1.1 200 OK\r\nMetadata-Flavor: Google\r\nContent-Length: 4\r\n\r\n[1, ")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("nonsense\r\n\r\n")]
    public async Task Whoever_answers_otherwise_is_no_metadata_service(string instead)
    {
        foreach (var provider in (CloudMetadata[])[CloudMetadata.Aws, CloudMetadata.Gcp, CloudMetadata.Azure])
        {
            await using var service = new MetadataService { Instead = instead };
            Assert.Null(await AskAsync(provider, service));
        }
    }

    [Fact]
    public async Task No_address_is_asked_for_without_a_token()
    {
        await using var service = new MetadataService();

        await AskAsync(CloudMetadata.Aws, service);

        Assert.Equal(["PUT /latest/api/token HTTP/1.1", "GET /latest/meta-data/local-ipv4 HTTP/1.1", "GET /latest/meta-data/public-ipv4 HTTP/1.1"], service.Requests);
    }

    [Theory]
    [InlineData("Amazon EC2", "", "", CloudMetadata.Aws)]
    [InlineData("Xen", "", "4.11.amazon", CloudMetadata.Aws)]
    [InlineData("Xen", "", "4.11", CloudMetadata.Off)]
    [InlineData("Google", "", "", CloudMetadata.Gcp)]
    [InlineData("Microsoft Corporation", "7783-7084-3265-9085-8269-3286-77", "", CloudMetadata.Azure)]
    [InlineData("Microsoft Corporation", "", "", CloudMetadata.Off)]
    [InlineData("LENOVO", "", "", CloudMetadata.Off)]
    [InlineData("", "", "", CloudMetadata.Off)]
    public void The_firmware_says_in_whose_cloud_a_machine_runs(string vendor, string asset, string bios, CloudMetadata expected) =>
        Assert.Equal(expected, CloudProvider.Detect(name => name switch
        {
            "sys_vendor" => vendor,
            "chassis_asset_tag" => asset,
            "bios_version" => bios,
            _ => throw new ArgumentException(name, nameof(name)),
        }));

    private static async Task<string?> AskAsync(CloudMetadata provider, MetadataService service)
    {
        using var addresses = new CloudAddresses(provider, service.Address);
        return await addresses.AskAsync(TestContext.Current.CancellationToken) is { } found
            ? string.Join(' ', found.Select(pair => $"{pair.Key.AddressText}={pair.Value.AddressText}"))
            : null;
    }
}
