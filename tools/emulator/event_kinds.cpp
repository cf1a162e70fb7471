#include "event_kinds.hpp"

#include <array>
#include <initializer_list>
#include <span>

namespace emulator {

namespace {

using names = std::span<const std::string_view>;

// Text made of a prefix and random letters, as resource ids are.
std::string with_letters(std::string_view prefix, seeded_random& random, std::size_t count) {
  std::string text(prefix);
  append_letters(text, random, count);
  return text;
}

std::string_view one_of(seeded_random& random, std::initializer_list<std::string_view> from) {
  return from.begin()[random.below(from.size())];
}

bool chance(seeded_random& random, unsigned percent) { return random.below(100) < percent; }

std::string time_text(std::int64_t unix_s) {
  std::string text;
  append_time(text, unix_s);
  return text;
}

constexpr std::array<std::string_view, 8> roles = {"AliyunCSManagedKubernetesRole",
                                                   "AliyunServiceRoleForAutoScaling",
                                                   "OSSReplicationRole",
                                                   "crossaccount-audit-role",
                                                   "AliyunECSDiskEncryptDefaultRole",
                                                   "TerraformDeployRole",
                                                   "ops-breakglass",
                                                   "AliyunServiceRoleForContainerService"};
constexpr std::array<std::string_view, 10> people = {"alice.wang", "bob.chen", "ci-deployer", "terraform-runner",
                                                     "张伟",       "李娜",     "ops_admin",   "dev.team+1@example.com",
                                                     "møller",     "finops"};
constexpr std::array<std::string_view, 8> tag_keys = {
    "env", "owner", "cost-center", "app", "acs:rm:rgId", "kubernetes.do.not.delete", "team", "k8s.aliyun.com"};
constexpr std::array<std::string_view, 6> tag_values = {"prod", "staging", "dev", "平台", "team-pay", "нагрузка"};

void append_tags(std::string& out, seeded_random& random, std::size_t count) {
  out += '[';
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    object_writer tag(out);
    tag.text("Key", pick(random, tag_keys));
    tag.text("Value", chance(random, 60) ? pick(random, tag_values) : std::string_view(with_letters("", random, 6)));
    tag.end();
  }
  out += ']';
}

// count different-looking draws from a pool as a JSON array of strings.
void append_sample(std::string& out, seeded_random& random, const std::vector<std::string>& pool, std::size_t count,
                   std::string_view suffix = "") {
  out += '[';
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    append_json_string(out, pick(random, pool) + std::string(suffix));
  }
  out += ']';
}

void set_call(event_body& to, std::string_view service, std::string_view version, std::string_view name,
              std::string_view access) {
  to.service = service;
  to.api_version = version;
  to.name = name;
  to.access = access;
}

void set_resource(event_body& to, std::string_view type, std::string_view name) {
  to.resource_type = type;
  to.resource_name = name;
  to.resources += '{';
  append_json_string(to.resources, type);
  to.resources += ":[";
  append_json_string(to.resources, name);
  to.resources += "]}";
}

void reply_with_id(const event_setting& in, event_body& to) {
  object_writer(to.response).text("RequestId", in.request_id).end();
}

void run_instances(const event_setting& in, event_body& to) {
  set_call(to, "Ecs", chance(in.random, 5) ? "*" : "2014-05-26", "RunInstances", "Write");
  const std::uint64_t count = 1 + in.random.below(3);
  object_writer request(to.request);
  request.text("RegionId", in.region)
      .text("ImageId", "aliyun_3_x64_20G_alibase_20240528.vhd")
      .text("InstanceType", one_of(in.random, {"ecs.g7.xlarge", "ecs.c7.2xlarge", "ecs.r8i.4xlarge"}))
      .text("SecurityGroupId", pick(in.random, in.pools.security_groups))
      .text("VSwitchId", pick(in.random, in.pools.switches))
      .text("InstanceName", with_letters("worker-", in.random, 5))
      .number("Amount", count)
      .text("SystemDisk.Category", "cloud_essd")
      .text("SystemDisk.Size", one_of(in.random, {"40", "100", "200"}))
      .text("SystemDisk.PerformanceLevel", "PL1")
      .truth("DryRun", false);
  append_tags(request.name("Tag"), in.random, 1 + in.random.below(3));
  request.text("UserData", with_letters("IyEvYmluL2Jhc2gKc2V0IC1lCmV4cG9ydCBOT0RFPQ", in.random, 96));
  request.number("X-Acs-Client-Tls-Version", 13).text(" charset", "UTF-8").end();
  object_writer response(to.response);
  response.text("RequestId", in.request_id).text("OrderId", std::to_string(in.random.below(100'000'000'000'000)));
  response.name("TradePrice") += std::to_string(in.random.below(10)) + "." + std::to_string(100 + in.random.below(900));
  std::string& ids = response.name("InstanceIdSets");
  ids += "{\"InstanceIdSet\":";
  append_sample(ids, in.random, in.pools.instances, count);
  ids += '}';
  response.end();
  set_resource(to, "ACS::ECS::Instance", pick(in.random, in.pools.instances));
}

void describe_instances(const event_setting& in, event_body& to) {
  set_call(to, "Ecs", "2014-05-26", "DescribeInstances", "Read");
  std::string ids;
  append_sample(ids, in.random, in.pools.instances, 1 + in.random.below(11));
  object_writer(to.request)
      .text("RegionId", in.region)
      .number("PageSize", 10 * (1 + in.random.below(10)))
      .number("PageNumber", 1 + in.random.below(20))
      .text("InstanceIds", ids)
      .text("VpcId", pick(in.random, in.pools.networks))
      .text("AcceptLanguage", "zh-CN")
      .end();
}

void authorize_security_group(const event_setting& in, event_body& to) {
  set_call(to, "Ecs", "2014-05-26", "AuthorizeSecurityGroup", "Write");
  const std::string& group = pick(in.random, in.pools.security_groups);
  object_writer request(to.request);
  request.text("RegionId", in.region).text("SecurityGroupId", group);
  std::string& rules = request.name("Permissions");
  rules += '[';
  for (std::uint64_t i = 0, count = 1 + in.random.below(4); i < count; ++i) {
    if (i > 0) rules += ',';
    const std::string port = std::to_string(1 + in.random.below(65'534));
    object_writer(rules)
        .text("IpProtocol", one_of(in.random, {"tcp", "udp"}))
        .text("PortRange", port + "/" + port)
        .text("SourceCidrIp", pick(in.random, in.pools.addresses) + "/32")
        .text("Priority", "1")
        .text("Policy", "accept")
        .text("Description", one_of(in.random, {"allow office", "临时放行", "k8s nodeport", "by \"terraform\"\n"}))
        .end();
  }
  rules += ']';
  request.end();
  reply_with_id(in, to);
  set_resource(to, "ACS::ECS::SecurityGroup", group);
}

void assume_role(const event_setting& in, event_body& to) {
  set_call(to, "Sts", "2015-04-01", "AssumeRole", "Write");
  const std::string_view role = pick(in.random, roles);
  const std::string session = with_letters("session-", in.random, 8);
  const std::string arn = "acs:ram::" + std::string(in.account) + ":role/" + std::string(role);
  object_writer request(to.request);
  request.text("RoleArn", arn).number("DurationSeconds", 3600);
  // A session name of digits arrives as a number.
  if (chance(in.random, 10)) {
    request.number("RoleSessionName", in.random.below(1'000'000));
  } else {
    request.text("RoleSessionName", session);
  }
  request.number("stsTokenPlayerUid", 1'000'000'000'000'000 + in.random.below(900'000'000'000'000));
  if (chance(in.random, 40)) {
    request.text(
        "Policy",
        R"({"Version":"1","Statement":[{"Effect":"Allow","Action":["oss:GetObject","oss:PutObject"],"Resource":["acs:oss:*:*:)" +
            pick(in.random, in.pools.buckets) + R"(/*"]}]})");
  }
  request.end();
  object_writer response(to.response);
  response.text("RequestId", in.request_id);
  object_writer(response.name("AssumedRoleUser"))
      .text("AssumedRoleId",
            "3" + std::to_string(10'000'000'000'000'000 + in.random.below(90'000'000'000'000'000)) + ":" + session)
      .text("Arn", arn + "/" + session)
      .end();
  object_writer(response.name("Credentials"))
      .text("AccessKeyId", with_letters("STS.N", in.random, 24))
      .text("Expiration", time_text(in.time_s + 3600))
      .text("SecurityToken", "***")
      .text("AccessKeySecret", "***")
      .end();
  response.end();
  set_resource(to, "ACS::RAM::Role", role);
}

void console_signin(const event_setting& in, event_body& to) {
  set_call(to, chance(in.random, 20) ? "AasCustomer" : "AasSub", "2015-06-01", "ConsoleSignin", "Write");
  to.type = "ConsoleSignin";
  object_writer(to.extra)
      .text("loginAccount", std::string(pick(in.random, people)) + "@" + std::string(in.account) + ".onaliyun.com")
      .text("isMFAChecked", one_of(in.random, {"true", "false"}))
      .text("callbackUrl", "https://home.console.aliyun.com/?spm=5176." + std::to_string(in.random.below(9'999'999)) +
                               ".console-base." + with_letters("", in.random, 8) +
                               "#/overview&x=" + with_letters("", in.random, 16))
      .text("mfaChecked", "true")
      .text("loginType", "sub-user")
      .end();
}

void object_access(const event_setting& in, event_body& to) {
  const bool read = chance(in.random, 70);
  set_call(to, "Oss", "2019-05-17", read ? one_of(in.random, {"GetObject", "HeadObject"}) : "PutObject",
           read ? "Read" : "Write");
  to.category = "Data";
  const std::string& bucket = pick(in.random, in.pools.buckets);
  std::string object(one_of(in.random, {"data/2026/", "logs/2025/", "export/", "影像/"}));
  append_uuid(object, in.random, false);
  object += one_of(in.random, {".parquet", ".gz", ".json"});
  object_writer(to.request)
      .text("bucketName", bucket)
      .text("objectName", object)
      .text("Host", bucket + ".oss-" + std::string(in.region) + ".aliyuncs.com")
      .number("contentLength", in.random.below(10'000'000))
      .end();
  std::string request_id;
  append_hex(request_id, in.random, 24, true);
  std::string tag;
  append_hex(tag, in.random, 32, true);
  object_writer(to.response).text("x-oss-request-id", request_id).text("ETag", tag).end();
  set_resource(to, "ACS::OSS::Object", bucket + "/" + object);
}

void put_bucket_policy(const event_setting& in, event_body& to) {
  set_call(to, "Oss", "2019-05-17", "PutBucketPolicy", "Write");
  const std::string& bucket = pick(in.random, in.pools.buckets);
  std::string policy;
  object_writer document(policy);
  std::string& statements = document.text("Version", "1").name("Statement");
  statements += '[';
  // Policy documents make the tail of the sizes: one in twenty is long.
  for (std::uint64_t i = 0, count = chance(in.random, 5) ? 40 + in.random.below(40) : 1 + in.random.below(3); i < count;
       ++i) {
    if (i > 0) statements += ',';
    object_writer statement(statements);
    statement.text("Effect", one_of(in.random, {"Allow", "Deny"}))
        .text("Principal", std::to_string(200'000'000'000'000'000 + in.random.below(100'000'000'000'000'000)))
        .text("Resource", "acs:oss:*:" + std::string(in.account) + ":" + bucket + "/*");
    std::string& condition = statement.name("Condition");
    condition += R"({"IpAddress":{"acs:SourceIp":)";
    append_sample(condition, in.random, in.pools.addresses, 1 + in.random.below(5));
    condition += "}}";
    statement.end();
  }
  statements += ']';
  document.end();
  object_writer(to.request).text("bucketName", bucket).text("policy", policy).end();
  set_resource(to, "ACS::OSS::Bucket", bucket);
}

void decrypt(const event_setting& in, event_body& to) {
  set_call(to, "Kms", "2016-01-20", one_of(in.random, {"Decrypt", "GenerateDataKey"}), "Read");
  std::string cipher;
  append_letters(cipher, in.random, 80 + in.random.below(160),
                 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
  object_writer(to.request)
      .text("CiphertextBlob", cipher)
      .text("EncryptionContext", R"({"app":")" + std::string(one_of(in.random, {"pay", "order", "user"})) +
                                     R"(","tenant":")" + with_letters("", in.random, 8) + R"("})")
      .text("__expanded", "1")
      .end();
  const std::string& key = pick(in.random, in.pools.keys);
  std::string version;
  append_uuid(version, in.random, false);
  object_writer(to.response).text("RequestId", in.request_id).text("KeyId", key).text("KeyVersionId", version).end();
  set_resource(to, "ACS::KMS::Key", key);
}

void create_user(const event_setting& in, event_body& to) {
  set_call(to, "Ram", "2015-05-01", "CreateUser", "Write");
  const std::string user = std::string(pick(in.random, people)) + with_letters("", in.random, 3);
  object_writer(to.request)
      .text("UserName", user)
      .text("DisplayName", user)
      .text("Comments",
            one_of(in.random, {"", "新员工入职", "contractor \"temp\" \\ access", "created by IaC", "bell \a here"}))
      .end();
  object_writer response(to.response);
  response.text("RequestId", in.request_id);
  object_writer(response.name("User"))
      .text("UserId", std::to_string(200'000'000'000'000'000 + in.random.below(99'999'999'999'999'999)))
      .text("UserName", user)
      .text("CreateDate", time_text(in.time_s))
      .end();
  response.end();
  set_resource(to, "ACS::RAM::User", user);
}

void attach_policy(const event_setting& in, event_body& to) {
  set_call(to, "Ram", "2015-05-01",
           one_of(in.random, {"AttachPolicyToUser", "DetachPolicyFromUser", "AttachPolicyToRole"}), "Write");
  const std::string_view user = pick(in.random, people);
  object_writer(to.request)
      .text("PolicyType", one_of(in.random, {"System", "Custom"}))
      .text("PolicyName", chance(in.random, 60) ? one_of(in.random, {"AliyunECSFullAccess", "AliyunOSSReadOnlyAccess",
                                                                     "AdministratorAccess"})
                                                : std::string_view(with_letters("custom-", in.random, 6)))
      .text("UserName", user)
      .text("userClientIp", pick(in.random, in.pools.addresses))
      .text("UserClientIp", pick(in.random, in.pools.addresses))
      .end();
  reply_with_id(in, to);
  // Two types: names of one type are joined by a comma, types by a semicolon.
  to.resource_type = "ACS::RAM::User;ACS::RAM::Policy";
  to.resource_name = std::string(user) + ";custom";
  to.resources = R"({"ACS::RAM::User":[)";
  append_json_string(to.resources, user);
  to.resources += R"(],"ACS::RAM::Policy":["custom"]})";
}

void create_snapshot(const event_setting& in, event_body& to) {
  set_call(to, "Ecs", "2014-05-26", "CreateSnapshot", "Write");
  const std::string& disk = pick(in.random, in.pools.disks);
  std::string token;
  append_uuid(token, in.random, false);
  object_writer(to.request)
      .text("DiskId", disk)
      .text("SnapshotName", "auto2.0_" + time_text(in.time_s) + "_" + with_letters("sp-", in.random, 18))
      .number("RetentionDays", 7 * (1 + in.random.below(12)))
      .text("ClientToken", token)
      .text("RegionId", in.region)
      .end();
  object_writer(to.response)
      .text("RequestId", in.request_id)
      .text("SnapshotId", with_letters("s-bp1", in.random, 17))
      .end();
  set_resource(to, "ACS::ECS::Disk", disk);
}

void change_instance(const event_setting& in, event_body& to) {
  set_call(to, "Ecs", "2014-05-26",
           one_of(in.random, {"DeleteInstance", "StopInstance", "RebootInstance", "StartInstance"}), "Write");
  const std::string& instance = pick(in.random, in.pools.instances);
  object_writer(to.request)
      .text("InstanceId", instance)
      .truth("Force", true)
      .truth("ForceStop", false)
      .text("https", "False")
      .text("RegionId", in.region)
      .end();
  reply_with_id(in, to);
  set_resource(to, "ACS::ECS::Instance", instance);
}

void describe_balancer(const event_setting& in, event_body& to) {
  set_call(to, "Slb", "2014-05-15",
           one_of(in.random, {"DescribeLoadBalancers", "DescribeLoadBalancerAttribute", "DescribeHealthStatus"}),
           "Read");
  std::string tags;
  append_tags(tags, in.random, 2);
  object_writer(to.request)
      .text("RegionId", in.region)
      .text("LoadBalancerId", with_letters("lb-bp1", in.random, 18))
      .number("ListenerPort", 1 + in.random.below(65'534))
      .text("Tags", tags)
      .end();
}

void cluster_call(const event_setting& in, event_body& to) {
  set_call(to, "CS", "2015-12-15",
           one_of(in.random, {"DescribeClusterDetail", "DescribeClusterUserKubeconfig", "ScaleOutCluster"}),
           one_of(in.random, {"Read", "Write"}));
  const std::string& cluster = pick(in.random, in.pools.clusters);
  object_writer request(to.request);
  request.text("ClusterId", cluster)
      .truth("PrivateIpAddress", chance(in.random, 50))
      .number("TemporaryDurationMinutes", 60)
      .text("nodepool_id", with_letters("np", in.random, 30));
  std::string& addons = request.name("addons");
  addons += '[';
  for (std::uint64_t i = 0, count = 1 + in.random.below(3); i < count; ++i) {
    if (i > 0) addons += ',';
    object_writer(addons)
        .text("name", one_of(in.random, {"terway-eniip", "csi-plugin", "logtail-ds", "nginx-ingress-controller"}))
        .text("config", R"({"IngressSlbNetworkType":"internet","sls_project_name":"k8s-log-)" + cluster + R"("})")
        .end();
  }
  addons += ']';
  request.end();
  object_writer(to.response).text("request_id", in.request_id).text("task_id", with_letters("T-", in.random, 24)).end();
  set_resource(to, "ACS::CS::Cluster", cluster);
}

void database_call(const event_setting& in, event_body& to) {
  set_call(to, chance(in.random, 30) ? "RDS" : "Rds", "2014-08-15",
           one_of(in.random, {"ModifySecurityIps", "DescribeDBInstances", "ResetAccountPassword", "CreateBackup"}),
           one_of(in.random, {"Read", "Write"}));
  const std::string database = with_letters("rm-bp1", in.random, 14);
  std::string addresses;
  for (std::uint64_t i = 0, count = 1 + in.random.below(20); i < count; ++i) {
    if (i > 0) addresses += ',';
    addresses += pick(in.random, in.pools.addresses);
  }
  std::string statement;
  append_hex(statement, in.random, 32, false);
  object_writer(to.request)
      .text("DBInstanceId", database)
      .text("SecurityIps", addresses)
      .text("DBInstanceIPArrayName", "default")
      .number("StartTime", static_cast<std::uint64_t>(in.time_s - 86'400) * 1000 + in.random.below(1000))
      .number("EndTime", static_cast<std::uint64_t>(in.time_s) * 1000 + in.random.below(1000))
      .text("SQLId", statement)
      .end();
  object_writer(to.response)
      .text("RequestId", in.request_id)
      .text("TaskId", std::to_string(in.random.below(1'000'000'000)))
      .end();
  set_resource(to, "ACS::RDS::DBInstance", database);
}

void log_service_call(const event_setting& in, event_body& to) {
  set_call(to, "Sls", "2020-12-30", one_of(in.random, {"GetLogs", "CreateIndex", "GetLogStoreLogs"}),
           one_of(in.random, {"Read", "Write"}));
  const std::string project = with_letters("proj-", in.random, 6);
  std::string request_id;
  append_hex(request_id, in.random, 24, true);
  object_writer(to.request)
      .text("project", project)
      .text("logstore", one_of(in.random, {"nginx-access", "audit", "app-log"}))
      .text("query", one_of(in.random, {"* | select count(*) as c, status from log group by status order by c desc",
                                        "level: ERROR and not \"health\\check\" | with_pack_meta",
                                        "request_uri: /api/v1/* and status >= 500"}))
      .number("from", static_cast<std::uint64_t>(in.time_s - 900))
      .number("to", static_cast<std::uint64_t>(in.time_s))
      .number("line", 100)
      .text("reverse", "true")
      .end();
  object_writer(to.response).text("x-log-requestid", request_id).end();
  set_resource(to, "ACS::SLS::Project", project);
}

void create_stack(const event_setting& in, event_body& to) {
  set_call(to, "ROS", "2019-09-10", "CreateStack", "Write");
  std::string body = "{\n \"ROSTemplateFormatVersion\":\"2015-09-01\",\n \"Resources\":{";
  for (std::uint64_t i = 0, count = 2 + in.random.below(3); i < count; ++i) {
    if (i > 0) body += ",";
    body +=
        "\n  \"" + with_letters("r", in.random, 4) + "\":{\n   \"Type\":\"ALIYUN::ECS::VSwitch\",\n   \"Properties\":";
    object_writer(body)
        .text("VpcId", pick(in.random, in.pools.networks))
        .text("CidrBlock",
              "10." + std::to_string(in.random.below(255)) + "." + std::to_string(in.random.below(255)) + ".0/24")
        .text("ZoneId", std::string(in.region) + "-h")
        .end();
    body += "\n  }";
  }
  body += "\n }\n}";
  std::string stack;
  append_uuid(stack, in.random, false);
  object_writer(to.request)
      .text("RegionId", in.region)
      .text("StackName", with_letters("stack-", in.random, 8))
      .text("TemplateBody", body)
      .number("TimeoutInMinutes", 60)
      .text("Parameters.1.ParameterKey", "Env")
      .text("Parameters.1.ParameterValue", with_letters("", in.random, 9))
      .end();
  object_writer(to.response).text("RequestId", in.request_id).text("StackId", stack).end();
  set_resource(to, "ACS::ROS::Stack", stack);
}

void trail_call(const event_setting& in, event_body& to) {
  set_call(to, "Actiontrail", "2020-07-06",
           one_of(in.random, {"LookupEvents", "LookUpEvents", "DescribeTrails", "UpdateTrail"}), "Read");
  object_writer(to.request)
      .text("StartTime", time_text(in.time_s - 86'400))
      .text("EndTime", time_text(in.time_s))
      .text("MaxResults", "50")
      .text("NextToken", with_letters("", in.random, 120))
      .text("LookupAttribute.1.Key", "ServiceName")
      .text("LookupAttribute.1.Value", "Ecs")
      .number("Account", 1'000'000'000'000'000 + in.random.below(9'000'000'000'000'000))
      .end();
}

void network_call(const event_setting& in, event_body& to) {
  set_call(to, "Vpc", "2016-04-28",
           one_of(in.random, {"CreateVSwitch", "DescribeVpcs", "CreateRouteEntry", "AllocateEipAddress"}),
           one_of(in.random, {"Read", "Write"}));
  const std::string& network = pick(in.random, in.pools.networks);
  object_writer(to.request)
      .text("VpcId", network)
      .text("CidrBlock", "172.16." + std::to_string(in.random.below(255)) + ".0/24")
      .text("ZoneId", std::string(in.region) + "-h")
      .text("VSwitchIds", "[\\\"" + pick(in.random, in.pools.switches) + "\\\"]")
      .text("RouteTableId", with_letters("vtb-bp1", in.random, 17))
      .end();
  object_writer(to.response)
      .text("RequestId", in.request_id)
      .text("VSwitchId", with_letters("vsw-bp1", in.random, 18))
      .end();
  set_resource(to, "ACS::VPC::VPC", network);
}

void scaling_call(const event_setting& in, event_body& to) {
  set_call(to, "Ess", "2014-08-28",
           one_of(in.random, {"ExecuteScalingRule", "DescribeScalingActivities", "AttachInstances"}), "Write");
  to.type = "AliyunServiceEvent";
  object_writer request(to.request);
  request.text("ScalingGroupId", with_letters("asg-bp1", in.random, 18))
      .text("ScalingRuleAri", "ari:acs:ess:" + std::string(in.region) + ":" + std::string(in.account) +
                                  ":scalingrule/" + with_letters("asr-bp1", in.random, 17));
  append_sample(request.name("InstanceId"), in.random, in.pools.instances, 1 + in.random.below(7));
  request.end();
  object_writer(to.response)
      .text("RequestId", in.request_id)
      .text("ScalingActivityId", with_letters("asa-bp1", in.random, 18))
      .end();
}

void tag_resources(const event_setting& in, event_body& to) {
  set_call(to, "Tag", "2018-08-28", "TagResources", "Write");
  std::string tags;
  append_tags(tags, in.random, 3);
  object_writer request(to.request);
  request.text("RegionId", in.region).text("Tags", tags);
  append_sample(request.name("ResourceARN"), in.random, in.pools.instances, 1 + in.random.below(8));
  request.end();
  reply_with_id(in, to);
  to.resources = R"({"ACS::ECS::Instance":)";
  append_sample(to.resources, in.random, in.pools.instances, 1 + in.random.below(10));
  to.resources += '}';
}

void function_call(const event_setting& in, event_body& to) {
  set_call(to, "Fc", "2023-03-30", one_of(in.random, {"InvokeFunction", "CreateFunction", "UpdateFunction"}), "Write");
  const std::string function = with_letters("fn_", in.random, 6);
  object_writer(to.request)
      .text("serviceName", with_letters("svc-", in.random, 4))
      .text("functionName", function)
      .text(
          "body",
          R"({"runtime":"python3.10","handler":"index.handler","memorySize":512,"environmentVariables":{"DB_URL":"mysql://)" +
              pick(in.random, in.pools.addresses) +
              R"(:3306/db?charset=utf8","PATH":"/opt/bin:/usr/bin"},"layers":["acs:fc:)" + std::string(in.region) +
              R"(:official:layers/Python310/versions/2"]})")
      .text("X-Fc-Invocation-Type", one_of(in.random, {"Sync", "Async"}))
      .end();
  object_writer(to.response).text("requestId", in.request_id).text("lastModifiedTime", time_text(in.time_s)).end();
  set_resource(to, "ACS::FC::Function", function);
}

void query_job(const event_setting& in, event_body& to) {
  set_call(to, "MaxCompute", "2019-06-01", "InstanceProgress", "Read");
  to.type = "JobEvent";
  to.category = "Data";
  std::string sql =
      "SELECT a.user_id, count(DISTINCT b.order_id) AS orders\n  FROM " + with_letters("ods_", in.random, 6) +
      " a JOIN dwd_trade b ON a.user_id = b.user_id\n WHERE b.ds >= '20261101' AND a.name LIKE '%测试%'\n";
  for (std::uint64_t i = 0, count = in.random.below(12); i < count; ++i) {
    sql += "   AND b.tag_" + with_letters("", in.random, 4) + " = \"" + with_letters("", in.random, 7) + "\"\n";
  }
  object_writer(to.request)
      .text("sql", sql)
      .text("project", with_letters("mc_", in.random, 5))
      .number("cost", in.random.below(1'000'000))
      .end();
}

void insight(const event_setting& in, event_body& to) {
  to.type = "ActionTrailInsight";
  to.category = "Insight";
  const std::string_view kind =
      one_of(in.random, {"IpInsight", "ApiCallRateInsight", "ApiErrorRateInsight", "AkInsight", "PolicyChangeInsight"});
  object_writer details(to.insight);
  details.text("insightType", kind)
      .text("state", one_of(in.random, {"Start", "End"}))
      .text("insightObject", pick(in.random, in.pools.addresses));
  std::string& context = details.name("insightContext");
  context +=
      R"({"statistics":{"baseline":{"average":0.)" + std::to_string(1'000'000 + in.random.below(9'000'000)) +
      R"(},"insight":{"average":)" + std::to_string(in.random.below(50)) + "." +
      std::to_string(100'000 + in.random.below(900'000)) +
      R"(},"insightDuration":5,"baselineDuration":10080,"insightCount":1},"attributions":[{"attribute":"userAgent","insight":[{"value":)";
  append_json_string(context, with_letters("agent-", in.random, 9));
  context += R"(,"average":1.0}],"baseline":[]}]})";
  details.end();
}

struct kind {
  void (*make)(const event_setting&, event_body&);
  unsigned weight;
};

constexpr std::array<kind, 24> kinds = {{{run_instances, 4},
                                         {describe_instances, 10},
                                         {authorize_security_group, 4},
                                         {assume_role, 14},
                                         {console_signin, 3},
                                         {object_access, 10},
                                         {put_bucket_policy, 2},
                                         {decrypt, 10},
                                         {create_user, 3},
                                         {attach_policy, 3},
                                         {create_snapshot, 4},
                                         {change_instance, 4},
                                         {describe_balancer, 5},
                                         {cluster_call, 5},
                                         {database_call, 6},
                                         {log_service_call, 7},
                                         {create_stack, 3},
                                         {trail_call, 3},
                                         {network_call, 5},
                                         {scaling_call, 3},
                                         {tag_resources, 4},
                                         {function_call, 5},
                                         {query_job, 2},
                                         {insight, 1}}};

constexpr unsigned weights_total = [] {
  unsigned total = 0;
  for (const kind& one : kinds) total += one.weight;
  return total;
}();

// One look-up a draw: the kind of each of the weights_total tickets.
constexpr auto tickets = [] {
  std::array<std::uint8_t, weights_total> of{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    for (unsigned j = 0; j < kinds[i].weight; ++j) of[at++] = static_cast<std::uint8_t>(i);
  }
  return of;
}();

std::vector<std::string> named(seeded_random& random, std::size_t count, std::string_view prefix, std::size_t letters) {
  std::vector<std::string> made(count);
  for (std::string& one : made) one = with_letters(prefix, random, letters);
  return made;
}

}  // namespace

event_pools::event_pools(std::uint64_t seed) {
  seeded_random random(seed_for(seed, "event pools"));
  for (std::size_t i = 0; i < 400; ++i) {
    std::string address = std::to_string(1 + random.below(223));
    for (int part = 0; part < 3; ++part) address += "." + std::to_string(random.below(255));
    addresses.push_back(std::move(address));
  }
  addresses.push_back("2001:db8:85a3::8a2e:370:7334");
  addresses.push_back("ecs.aliyuncs.com");
  instances = named(random, 900, "i-bp1", 17);
  disks = named(random, 1200, "d-bp1", 17);
  networks = named(random, 12, "vpc-bp1", 18);
  switches = named(random, 30, "vsw-bp1", 18);
  security_groups = named(random, 40, "sg-bp1", 17);
  buckets = named(random, 50, "prod-data-", 8);
  for (std::size_t i = 0; i < 30; ++i) append_uuid(keys.emplace_back(), random, false);
  access_keys = named(random, 40, "LTAI5t", 18);
  clusters = named(random, 10, "c", 32);
}

void event_body::clear() {
  service = api_version = name = access = {};
  type = "ApiCall";
  category = "Management";
  for (std::string* text : {&request, &response, &resources, &extra, &insight, &resource_type, &resource_name})
    text->clear();
}

void make_event_body(const event_setting& in, event_body& to) {
  to.clear();
  kinds[pick(in.random, tickets)].make(in, to);
}

}  // namespace emulator
