Import-Module ActiveDirectory
Invoke-Command -ComputerName srv1 { Get-Service }
Get-ADDefaultDomainPasswordPolicy
# see the report on Invoke-Mimikatz
