FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/SipNat.Server -c Release --use-current-runtime --no-self-contained -p:PublishReadyToRun=true -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
RUN apt-get update \
    && apt-get install -y --no-install-recommends curl libsqlite3-0 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /app /app
COPY appsettings.json /etc/sipnat/appsettings.json
ENV SIPNAT__Recording__Directory=/var/lib/sipnat/recordings \
    SIPNAT__Recording__Database="Data Source=/var/lib/sipnat/catalogue.db"
RUN install -d -o app -g app /var/lib/sipnat
USER app
WORKDIR /var/lib/sipnat
VOLUME /var/lib/sipnat
EXPOSE 5060/udp 5060/tcp 10000-19999/udp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
    CMD curl -fsS http://127.0.0.1:8080/health/live
ENTRYPOINT ["dotnet", "/app/sipnat.dll"]
CMD ["serve", "--config", "/etc/sipnat/appsettings.json"]
